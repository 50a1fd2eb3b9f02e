"""Output of `tap-ynab --about`."""

from __future__ import annotations

import typing as t

from singer_sdk.about import TextFormatter

if t.TYPE_CHECKING:
    from singer_sdk.about import AboutInfo


class DescribedSettings(TextFormatter, format_name="text"):
    """The SDK's text, with the description and the default of each setting."""

    def format_about(self, about_info: AboutInfo) -> str:
        """Return the text."""
        head = super().format_about(about_info).partition("Settings:\n")[0]
        lines = [head + "Settings:"]
        required = about_info.settings.get("required", ())
        for name, setting in about_info.settings["properties"].items():
            lines += (
                f"  - Name: {name}",
                f"    Type: {setting.get('type')}",
                f"    Environment Variable: {about_info.env_var_prefix}{name.upper()}",
            )
            if description := setting.get("description"):
                lines.append(f"    Description: {description}")
            if name in required:
                lines.append("    Required: yes")
            elif "default" in setting:
                lines.append(f"    Default: {setting['default']}")
        return "\n".join(lines)
