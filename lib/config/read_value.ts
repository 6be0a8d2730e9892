import { closest, distance } from "fastest-levenshtein";
import { OperationError } from "../base/errors.ts";
import { parseNamedKeys } from "./parse_keys.ts";
import type { Row } from "./settings.ts";

/**
 * Parses the text of one setting.
 *
 * @throws {OperationError} the text is invalid; the message never repeats a secret
 */
export function readValue(row: Row, text: string): unknown {
  switch (row.kind) {
    case "url":
      return readUrl(text, row.protocols);
    case "keys":
      return parseNamedKeys(text, row.atMost);
    case "choice":
      return readChoice(text, row.choices);
    case "address":
      return readAddress(text);
    case "text":
      return readText(text, row.min, row.max);
    case "integer":
      return readInteger(text, row.min, row.max);
  }
}

function readUrl(text: string, protocols: readonly string[]): URL {
  const url = URL.parse(text);
  if (!url || !protocols.includes(url.protocol) || url.hostname === "") {
    // The text is not repeated: it may be another setting's URL with a password.
    throw new OperationError(
      `expected a URL that starts with ${protocols.map((p) => `${p}//`).join(" or ")}, ` +
        "got a text that is not such a URL",
    );
  }
  return url;
}

function readChoice(text: string, choices: readonly string[]): string {
  const chosen = choices.find((choice) => choice === text.toLowerCase());
  if (chosen !== undefined) return chosen;
  const hint = findNearest(text, choices);
  throw new OperationError(
    `expected one of ${choices.join(", ")}, got ${quote(text)}${
      hint ? `. Did you mean ${hint}?` : ""
    }`,
  );
}

function readAddress(text: string): unknown {
  if (text.toLowerCase() === "off") return "off";
  const [, hostname, port] = /^(\[[0-9a-f:]+\]|[^:\s]+):(\d{1,5})$/i.exec(text) ?? [];
  if (!hostname || !port || Number(port) > 65_535) {
    throw new OperationError(`expected host:port or off, got ${quote(text)}`);
  }
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function readText(text: string, min: number, max: number): string {
  const count = [...text].length;
  if (count >= min && count <= max) return text;
  throw new OperationError(`expected ${min} to ${max} characters, got ${count}`);
}

function readInteger(text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new OperationError(
      `expected a whole number from ${min} to ${max}, got ${quote(text)}`,
    );
  }
  return value;
}

/** Quotes a short plain word. Another text may be a secret that was set under the wrong name. */
function quote(text: string): string {
  return /^[\w.:+-]{0,24}$/.test(text) ? JSON.stringify(text) : "another text";
}

/** Finds the most similar choice, or `null` if more than two in five of its letters differ. */
export function findNearest(
  text: string,
  choices: readonly string[],
  atMost = Infinity,
): string | null {
  if (choices.length === 0) return null;
  const best = closest(text, [...choices]);
  const bound = Math.min(atMost, Math.ceil(best.length * 0.4));
  return distance(text, best) <= bound ? best : null;
}
