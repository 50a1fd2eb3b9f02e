// Amounts, in thousandths, as the budget writes them.

/** Returns functions that write amounts in a format: in full, with a sign, short. */
function moneyOf(format) {
  return {
    full: (amount) => writeAmount(amount, format, format.digits),
    signed: (amount) => (amount > 0 ? "+" : "") + writeAmount(amount, format, format.digits),
    short: (amount) => writeShort(amount, format),
  };
}

/** Returns an amount with a number of digits, rounded half away from zero. */
function writeAmount(amount, format, digits) {
  const step = 10 ** (3 - digits);
  const units = Math.round(Math.abs(amount) / step);
  const text = String(units).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, () => format.group);
  const number = digits ? grouped + format.decimal + text.slice(-digits) : grouped;
  return withSymbol(number, amount < 0 && units > 0, format);
}

/** Returns an amount for an axis, such as $120K. */
function writeShort(amount, format) {
  const units = Math.abs(amount) / 1000;
  const [size, letter] =
    units >= 1e9 ? [1e9, "B"] : units >= 1e6 ? [1e6, "M"] : units >= 1e3 ? [1e3, "K"] : [1, ""];
  const digits = String(Math.round((units / size) * 10) / 10).replace(".", format.decimal);
  return withSymbol(digits + letter, amount < 0, format);
}

/** Returns a number with the currency's symbol, kept together in a text of the other direction. */
function withSymbol(number, isNegative, format) {
  const { symbol, symbolFirst } = format;
  const minus = isNegative ? "\u2212" : "";
  if (!symbol) return `\u2066${minus}${number}\u2069`;
  const isolated = `\u2068${symbol}\u2069`;
  const isWord = symbol.length > 1 && /\p{L}$/u.test(symbol);
  const text = symbolFirst
    ? `${isolated}${isWord ? "\u00a0" : ""}${number}`
    : `${number}\u00a0${isolated}`;
  return `\u2066${minus}${text}\u2069`;
}

/** Returns a share as a percentage. */
const percent = (share) => `${share < 0 ? "\u2212" : ""}${Math.abs(Math.round(share * 100))}%`;
