/**
 * An array as Postgres writes it in text, `{1,"a",NULL}`
 * (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). The driver can do this too; it looks
 * at every element anew and escapes each one, at several times the cost for the thousands that a batch
 * has.
 */
export function arrayLiteral(values: readonly (string | number | null)[]): string {
  let text = "{";
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ",";
    const value = values[index] ?? null;
    if (value === null) text += "NULL";
    else if (typeof value === "number") text += value;
    else text += SPECIAL.test(value) ? `"${value.replace(ESCAPED, "\\$&")}"` : `"${value}"`;
  }
  return `${text}}`;
}

const SPECIAL = /["\\]/;
const ESCAPED = /["\\]/g;
