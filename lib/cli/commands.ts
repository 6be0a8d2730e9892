import type { Command } from "./command.ts";

interface Entry {
  readonly summary: string;
  /** Loads the command when it is asked for, so that `--help` need not load the AWS SDK. */
  readonly load: () => Promise<Command>;
}

/** All commands of `maskline`, in the order in which help lists them. */
export const commands: Readonly<Record<string, Entry>> = {
  run: {
    summary: "Work until told to stop",
    load: async () => (await import("./run.ts")).run,
  },
  drain: {
    summary: "Work until the queue is empty, then print the books",
    load: async () => (await import("./drain.ts")).drain,
  },
  check: {
    summary: "Check the settings, the queue, the database and the permissions",
    load: async () => (await import("./check.ts")).check,
  },
  explain: {
    summary: "Show what becomes of one message, read from standard input",
    load: async () => (await import("./explain.ts")).explain,
  },
  "explain-sqlstate": {
    summary: "Tell what Maskline does at a Postgres error",
    load: async () => (await import("./explain_sqlstate.ts")).explainSqlstate,
  },
  migrate: {
    summary: "Make or upgrade the tables",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  keygen: {
    summary: "Print new keys, a line each, as an env file takes them",
    load: async () => (await import("./keygen.ts")).keygen,
  },
  mask: {
    summary: "Print the mask of a value that is read from standard input",
    load: async () => (await import("./mask.ts")).maskCommand,
  },
  reveal: {
    summary: "Print the originals of masks, noted in the audit first",
    load: async () => (await import("./reveal.ts")).reveal,
  },
  audit: {
    summary: "Show who asked for originals, and check that no entry was changed",
    load: async () => (await import("./audit.ts")).audit,
  },
  forget: {
    summary: "Remove the originals of a person who asks for it",
    load: async () => (await import("./forget.ts")).forget,
  },
  rotate: {
    summary: "Bring what is stored to a new mask key or a new vault key",
    load: async () => (await import("./rotate.ts")).rotate,
  },
  rejected: {
    summary: "List, show, replay or discard the messages that were set aside",
    load: async () => (await import("./rejected.ts")).rejected,
  },
};
