/** A phrase that Maskline's texts avoid. */
export interface Phrase {
  /** Matches the phrase as whole words. */
  readonly pattern: RegExp;
  /** The plain term to write. */
  readonly instead: string;
}

/** An avoided phrase in a text. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly phrase: string;
  readonly instead: string;
}

/**
 * Creates a phrase from words. An alternative such as `(?:is|are)` counts as a word. The words can be on two
 * lines of a comment.
 */
function phrase(words: string, instead: string, flags = "i"): Phrase {
  const gap = String.raw`(?:[ \t]+|[ \t]*\r?\n[ \t]*(?:\*|\/\/|#|>)?[ \t]*)`;
  return {
    pattern: new RegExp(String.raw`\b${words.replaceAll(" ", gap)}\b`, `${flags}g`),
    instead,
  };
}

/**
 * The phrases, each with its replacement. They match whole words, so `understands`, `isAway` and the
 * column `set_aside` pass. The check reads code too, which keeps the words out of identifiers.
 */
export const phrases: readonly Phrase[] = [
  // Errors and requirements.
  phrase("wanted", "expected X, got Y; required"),
  phrase("WRONG", "FAIL", ""),
  // The store, the queue and messages.
  phrase("(?:is|are|was|were|be|been|stays?|went|goes) (?:still )?away", "is unavailable"),
  phrase("(?:is|are|was|were|be) back", "has recovered"),
  phrase("(?:comes?|came|coming) again", "is redelivered"),
  phrase("(?:is|are|was|were|be) sent again", "is resent"),
  phrase("(?:gives?|gave|giving|given) (?:it |them )?back", "releases, returns"),
  phrase("set(?:s|ting)? (?:it |them |message [^\\s]+ )?aside", "rejects, rejected"),
  phrase("lets? (?:it |them )?go of", "releases, drops"),
  phrase("what is held", "the messages in flight"),
  // Old-fashioned verbs.
  phrase("stands", "is in, is next to, is"),
  phrase("stand (?:beside|nowhere)", "are next to, are not listed"),
  phrase("tells?", "reports, logs, returns, prints"),
  phrase("telling", "reporting, logging"),
  phrase("told", "reported, logged, asked"),
  phrase("noted", "recorded"),
  phrase("mend(?:s|ed|ing)?", 'fix; "is permanent" for "does not mend"'),
  phrase("heed(?:s|ed|ing)?", "respects, handles"),
  // Adverbs.
  phrase("anew", "again, re-…"),
  phrase("once more", "again, re-…"),
  phrase("for ever", "indefinitely, forever"),
  phrase("nothing to speak of", "negligible"),
  phrase("in the midst", "during"),
  phrase("of late", "recent"),
  phrase("(?:of|in) former days", "earlier, legacy"),
  phrase("of before", "earlier"),
  phrase("the former", "the earlier X, the first X"),
  // Persons and actions without a name.
  phrase("nobody", "name the actor: no client, no user"),
  phrase("somebody", "name the actor: a user, another client"),
  phrase("everybody", "name the actor: all users, all clients"),
  phrase("anybody", "name the actor: any user, an attacker"),
  phrase("who(?:so)?ever", "name the actor"),
  phrase("whomever", "name the actor"),
  phrase("whatever", "any, every, or name the thing"),
  phrase("deeds?", "action, audit record"),
  phrase("another hand", "another client"),
  phrase("a guess", "an estimate, not measured"),
  phrase("(?:can|could) guess nothing", "is useless to an attacker"),
  phrase("own word", "reported by X, unverified"),
  phrase("leash", "deadline"),
];

/** Finds the avoided phrases of a text, in the order of the text. */
export function findPhrases(text: string, path: string): Finding[] {
  const found = phrases.flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map((match) => ({ at: match.index, words: match[0], instead }))
  );
  return found.sort((a, b) => a.at - b.at).map(({ at, words, instead }) => ({
    path,
    line: text.slice(0, at).split("\n").length,
    phrase: words.replace(/\s+(?:\*\s+|\/\/\s+)?/g, " "),
    instead,
  }));
}

/** Formats a finding as `path:line: "phrase": write instead`. */
export function formatFinding({ path, line, phrase, instead }: Finding): string {
  return `${path}:${line}: "${phrase}": write ${instead}`;
}

const ROOT = new URL("../../", import.meta.url);

/**
 * Lists the files under a file or folder of the repository, as paths from its root. Returns none if it
 * does not exist.
 */
export async function listFiles(path: string): Promise<string[]> {
  try {
    const { isDirectory } = await Deno.stat(new URL(path, ROOT));
    if (!isDirectory) return [path];
    const files: string[] = [];
    for await (const { name } of Deno.readDir(new URL(`${path}/`, ROOT))) {
      files.push(...await listFiles(`${path}/${name}`));
    }
    return files.sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Finds the avoided phrases in files and folders of the repository. */
export async function scanPhrases(paths: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of paths) {
    for (const file of await listFiles(path)) {
      findings.push(...findPhrases(await Deno.readTextFile(new URL(file, ROOT)), file));
    }
  }
  return findings;
}
