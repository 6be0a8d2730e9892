import { OperationError } from "../base/errors.ts";
import { closest, distance } from "fastest-levenshtein";
import { parseNamedKeys } from "./parse_keys.ts";
import type { Row } from "./settings.ts";

/**
 * Reads one setting's text by its row.
 *
 * @throws {OperationError} the text is not what the row wants; the message never repeats a secret
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
    // What came is not repeated: it may be the URL of another row, with a password in it.
    throw new OperationError(
      `wanted a URL that starts with ${protocols.map((p) => `${p}//`).join(" or ")}`,
    );
  }
  return url;
}

function readChoice(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  const hint = nearest(text, choices);
  throw new OperationError(
    `wanted ${choices.join(", ")}; got ${JSON.stringify(text)}${
      hint ? `, did you mean ${hint}?` : ""
    }`,
  );
}

function readAddress(text: string): unknown {
  if (text === "off") return "off";
  const [, hostname, port] = /^(\[[0-9a-f:]+\]|[^:\s]+):(\d{1,5})$/i.exec(text) ?? [];
  if (!hostname || !port || Number(port) > 65_535) {
    throw new OperationError(`wanted host:port or off, got ${JSON.stringify(text)}`);
  }
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function readText(text: string, min: number, max: number): string {
  const count = [...text].length;
  if (count >= min && count <= max) return text;
  throw new OperationError(`wanted ${min} to ${max} characters, got ${count}`);
}

function readInteger(text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new OperationError(
      `wanted a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`,
    );
  }
  return value;
}

/** The choice that a person most likely meant: at most two in five of its letters away; else `null`. */
export function nearest(
  text: string,
  choices: readonly string[],
  atMost = Infinity,
): string | null {
  if (choices.length === 0) return null;
  const best = closest(text, [...choices]);
  const bound = Math.min(atMost, Math.ceil(best.length * 0.4));
  return distance(text, best) <= bound ? best : null;
}
