import { type ListedRejection, listRejected } from "../store/sql/list_rejected.ts";
import { type Command, exit, UsageError } from "./command.ts";
import { withDatabase } from "./with_database.ts";

/** `maskline rejected list` */
export const rejected: Command = {
  usage: "rejected list [--all] [--limit N] [--json]",
  help: `
Lists messages that were set aside, the newest first: id, time, reason, field. Bodies are sealed and not
shown.

  --all       also those that were replayed or discarded
  --limit N   at most N of them, 1 to 10000 (default 100)
  --json      one JSON object a line

  maskline rejected list --json | jq -r .reason | sort | uniq -c`,
  options: { all: { type: "boolean" }, json: { type: "boolean" }, limit: { type: "string" } },
  words: [1, 1],
  async run(io, { flags, words: [verb] }) {
    if (verb !== "list") throw new UsageError("Wanted: maskline rejected list");
    const limit = Number(flags["limit"] ?? 100);
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
      throw new UsageError("--limit: wanted a whole number from 1 to 10000");
    }
    return await withDatabase(io, async (database) => {
      const status = flags["all"] ? null : "open";
      const rows = await database.query<ListedRejection>(listRejected, [status, limit]);
      for (const row of rows) io.out(flags["json"] ? `${JSON.stringify(row)}\n` : lineOf(row));
      if (rows.length === 0 && !flags["json"]) io.err("Nothing is set aside\n");
      return exit.done;
    });
  },
};

/** One rejection for people. */
export function lineOf(row: ListedRejection): string {
  const { message_id, rejected_at, reason, field, sqlstate, status } = row;
  const detail = [field, sqlstate, status === "open" ? "" : status].filter(Boolean).join(" ");
  return `${rejected_at}  ${message_id}  ${reason}${detail ? `  ${detail}` : ""}\n`;
}
