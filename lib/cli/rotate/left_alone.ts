import { escapeText } from "../printable.ts";
import { formatCount } from "../thousands.ts";

/** Why a sealed value cannot be moved to another key. */
export type SkipReason =
  | "unknown mask key"
  | "unknown vault key"
  | "does not open"
  | "another mask"
  | "no mask";

const SENTENCES: Readonly<Record<SkipReason, (id: string) => string>> = {
  "unknown mask key": (id) => `have masks of the key ${id}, which is not in MASK_KEY`,
  "unknown vault key": (id) =>
    `are sealed for the vault key ${id}, which is not in VAULT_PRIVATE_KEY`,
  "does not open": (id) =>
    `do not open with the vault key ${id}: they were changed, or VAULT_PRIVATE_KEY has another key of ` +
    "that name",
  "another mask": (id) =>
    `open, but the key ${id} makes another mask of them: somebody put them there, or MASK_KEY or ` +
    "MASK_PEPPER is not the one of then",
  "no mask": () => "stand under what is no mask of a personal field",
};

/** Counts what is left alone, by reason and key; never a value. */
export class SkippedEntries {
  readonly #counts = new Map<string, number>();

  /** @param id of the key that the reason speaks of */
  add(why: SkipReason, id = ""): void {
    const sentence = SENTENCES[why](escapeText(id));
    this.#counts.set(sentence, (this.#counts.get(sentence) ?? 0) + 1);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** A line a reason. @param what `vault entries` or the like */
  lines(what: string): string[] {
    return [...this.#counts].map(([sentence, count]) =>
      `Left alone: ${formatCount(count)} ${what} that ${sentence}\n`
    );
  }
}
