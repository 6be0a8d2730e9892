import { type ListedRejection, listRejected } from "../custody/rejected.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Command, exit, UsageError } from "./command.ts";
import { readLimit } from "./flags.ts";
import { rejectedDiscard } from "./rejected_discard.ts";
import { rejectedReplay } from "./rejected_replay.ts";
import { rejectedShow } from "./rejected_show.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";

/** `maskline rejected list` */
const rejectedList: Command = {
  usage: "rejected list [--all] [--limit N] [--json]",
  help: `
Lists rejected messages, the newest first: time, id, reason, field, SQLSTATE, status. Bodies are sealed and
not shown.

  --all       also those that were replayed or discarded
  --limit N   at most N of them, 1 to 10000 (default 100)
  --json      one JSON object on each line

  maskline rejected list --json | jq -r .reason | sort | uniq -c`,
  options: { all: { type: "boolean" }, json: { type: "boolean" }, limit: { type: "string" } },
  async run(io, { flags }) {
    const limit = readLimit(flags) ?? 100;
    const status = flags["all"] ? null : "open";
    return await withDatabases(io.source, { uses: "rows" }, async ({ database }) => {
      const rows = await listRejected(database, status, limit);
      for (const row of rows) {
        io.out(`${flags["json"] ? escapeJson(row) : formatRejection(row)}\n`);
      }
      if (rows.length === 0 && !flags["json"]) io.err("No message is rejected\n");
      return exit.done;
    });
  },
};

/** Formats one rejection. A terminal must not obey what a client stored in the table. */
export function formatRejection(row: ListedRejection): string {
  const { message_id, rejected_at, reason, field, sqlstate, status } = row;
  const detail = [field, sqlstate, status === "open" ? "" : status].filter(Boolean).join(" ");
  return escapeText(`${rejected_at}  ${message_id}  ${reason}${detail ? `  ${detail}` : ""}`);
}

/** What can be done with rejected messages, each a command of its own. */
const verbs: Readonly<Record<string, Command>> = {
  list: rejectedList,
  show: rejectedShow,
  replay: rejectedReplay,
  discard: rejectedDiscard,
};

const names = Object.keys(verbs);

/** `maskline rejected` */
export const rejected: Command = {
  usage: `rejected ${names.join("|")} …`,
  help: Object.values(verbs).map(({ usage, help }) => `maskline ${usage}\n\n${help.trim()}\n`)
    .join("\n\n"),
  options: Object.assign({}, ...Object.values(verbs).map(({ options }) => options)),
  words: [1, 1 + Math.max(...Object.values(verbs).map(({ words: [, max] = [0, 0] }) => max))],
  async run(io, { flags, words: [name = "", ...words] }) {
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (!verb) throw new UsageError(`Expected: maskline rejected ${names.join("|")} …`);
    const { usage, options = {}, words: [min, max] = [0, 0] } = verb;
    const hasForeignFlag = Object.keys(flags).some((flag) => !Object.hasOwn(options, flag));
    if (hasForeignFlag || words.length < min || words.length > max) {
      throw new UsageError(`Expected: maskline ${usage}`);
    }
    return await verb.run(io, { flags, words });
  },
};
