/**
 * Writes the parts of the documentation that come from the program: the settings table of
 * `docs/settings.md`. Run by `deno task docs`; `generate_test.ts` compares them.
 *
 * @module
 */
import { formatSettingsMarkdown } from "../../lib/config/describe_settings.ts";

const BEGIN = "<!-- settings: begin (written by `deno task docs`) -->";
const END = "<!-- settings: end -->";

/** The page with the settings table. */
export const settingsUrl = new URL("../../docs/settings.md", import.meta.url);

/** Replaces the text between the two marks with the generated table. @throws {Error} a mark is missing */
export function withGeneratedParts(page: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) {
    throw new Error(`docs/settings.md: expected the marks ${BEGIN} and ${END}, in this order`);
  }
  return `${page.slice(0, from + BEGIN.length)}\n\n${formatSettingsMarkdown()}\n\n${
    page.slice(to)
  }`;
}

if (import.meta.main) {
  await Deno.writeTextFile(settingsUrl, withGeneratedParts(await Deno.readTextFile(settingsUrl)));
}
