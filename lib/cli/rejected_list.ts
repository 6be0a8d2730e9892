import { type ListedRejection, listRejected } from "../store/postgres/sql/rejected.ts";
import { withDatabase } from "../worker/databases.ts";
import { type Command, exit, readLimit } from "./command.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";

/** `maskline rejected list` */
export const rejectedList: Command = {
  usage: "rejected list [--all] [--limit N] [--json]",
  help: `
Lists messages that were set aside, the newest first: id, time, reason, field. Bodies are sealed and not
shown.

  --all       also those that were replayed or discarded
  --limit N   at most N of them, 1 to 10000 (default 100)
  --json      one JSON object a line

  maskline rejected list --json | jq -r .reason | sort | uniq -c`,
  options: { all: { type: "boolean" }, json: { type: "boolean" }, limit: { type: "string" } },
  async run(io, { flags }) {
    const limit = readLimit(flags) ?? 100;
    return await withDatabase(io, async (database) => {
      const status = flags["all"] ? null : "open";
      const rows = await database.query<ListedRejection>(listRejected, [status, limit]);
      for (const row of rows) io.out(flags["json"] ? `${escapeJson(row)}\n` : formatRejection(row));
      if (rows.length === 0 && !flags["json"]) io.err("Nothing is set aside\n");
      return exit.done;
    });
  },
};

/** One rejection for people. */
export function formatRejection(row: ListedRejection): string {
  const { message_id, rejected_at, reason, field, sqlstate, status } = row;
  const detail = [field, sqlstate, status === "open" ? "" : status].filter(Boolean).join(" ");
  // A terminal must not obey what somebody wrote into the table.
  return `${
    escapeText(`${rejected_at}  ${message_id}  ${reason}${detail ? `  ${detail}` : ""}`)
  }\n`;
}
