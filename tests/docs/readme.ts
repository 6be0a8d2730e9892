/**
 * The parts of the README that come from the program. `deno task docs` writes them; a test compares.
 *
 * @module
 */
import { settingsMarkdown } from "../../lib/config/describe_settings.ts";

const BEGIN = "<!-- settings: begin (written by `deno task docs`) -->";
const END = "<!-- settings: end -->";

/** The file with its generated parts as they should be. @throws {Error} a mark is missing */
export function withGeneratedParts(readme: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`The README wants the marks ${BEGIN} and ${END}`);
  return `${readme.slice(0, from + BEGIN.length)}\n\n${settingsMarkdown()}\n\n${readme.slice(to)}`;
}

/** Where the README is. */
export const readmeUrl = new URL("../../README.md", import.meta.url);

if (import.meta.main) {
  await Deno.writeTextFile(readmeUrl, withGeneratedParts(await Deno.readTextFile(readmeUrl)));
}
