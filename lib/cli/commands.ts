import type { Command } from "./command.ts";

interface Entry {
  readonly summary: string;
  /** Loads the command only when it is run, so that `--help` does not load the AWS SDK. */
  readonly load: () => Promise<Command>;
}

/** All commands of `maskline`, in the order of `--help`. */
export const commands: Readonly<Record<string, Entry>> = {
  run: {
    summary: "Work until a signal stops it",
    load: async () => (await import("./run_worker.ts")).run,
  },
  drain: {
    summary: "Work until the queue is empty, then print the books",
    load: async () => (await import("./drain.ts")).drain,
  },
  check: {
    summary: "Check the settings, the queue, the database and the privileges",
    load: async () => (await import("./check.ts")).check,
  },
  explain: {
    summary: "Show the row or the rejection of one message, read from standard input",
    load: async () => (await import("./explain.ts")).explain,
  },
  "explain-sqlstate": {
    summary: "Print what Maskline does when Postgres returns an error code",
    load: async () => (await import("./explain_sqlstate.ts")).explainSqlstate,
  },
  migrate: {
    summary: "Create or upgrade the tables",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  keygen: {
    summary: "Generate keys and print them as lines of an env file",
    load: async () => (await import("./keygen.ts")).keygen,
  },
  mask: {
    summary: "Print the mask of a value, read from standard input",
    load: async () => (await import("./mask.ts")).maskCommand,
  },
  reveal: {
    summary: "Print the originals of masks, recorded in the audit log first",
    load: async () => (await import("./reveal.ts")).reveal,
  },
  audit: {
    summary: "Show who used originals, and verify that no entry was changed",
    load: async () => (await import("./audit.ts")).audit,
  },
  forget: {
    summary: "Remove the originals and rows of a person",
    load: async () => (await import("./forget.ts")).forget,
  },
  rotate: {
    summary: "Move stored masks and originals to a new key",
    load: async () => (await import("./rotate.ts")).rotate,
  },
  rejected: {
    summary: "List, show, replay or discard rejected messages",
    load: async () => (await import("./rejected.ts")).rejected,
  },
};
