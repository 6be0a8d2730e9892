import fc from "fast-check";
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { escapeJson } from "../../../lib/cli/terminal/escape.ts";

Deno.test("escapeJson() escapes control and format characters when a text has them", () => {
  strictEqual(
    escapeJson({ a: "\u001b\u007f\u0085\u200f\u2028\u202e\ufeff\u{e0041}é📱\ud800" }),
    String.raw`{"a":"\u001b\u007f\u0085\u200f\u2028\u202e\ufeff\udb40\udc41é📱\ud800"}`,
  );
});

Deno.test("escapeJson() returns JSON with the same value when it is parsed", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const json = escapeJson([text, { [text]: null }]);
    match(json, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u);
    deepStrictEqual(JSON.parse(json), [text, { [text]: null }]);
  }));
});
