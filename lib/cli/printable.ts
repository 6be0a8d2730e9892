/**
 * A text as a terminal may show it: control and format characters, line ends included, become
 * `\u{…}`, since whoever sends messages chooses them, and a terminal obeys them (escape sequences, text
 * that runs backwards). A backslash is doubled, so that the original can be told from it.
 */
export function escapeText(text: string): string {
  return text.replace(
    /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) =>
      character === "\\" ? "\\\\" : `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
  );
}
