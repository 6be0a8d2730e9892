import type { TestDatabase } from "./test_database.ts";

/** One message in fifty is not an event. */
const BAD_EVERY = 50;

/** What was sent, for a comparison with the database. */
export interface Sent {
  readonly events: number;
  /** The ids of the messages that are not events. */
  readonly bad: readonly string[];
}

/** How the database differs from what was sent. Both are zero if Maskline kept its promises. */
export interface Difference {
  /** Events without a row, bad messages without a rejection. */
  readonly lost: number;
  /** Rows and rejections beyond one for each message. */
  readonly doubled: number;
}

/**
 * Creates the messages number `from` to `from + count - 1`. Each event has its own user, so that a doubled
 * row is not mistaken for the row of another event.
 */
export function numberedMessages(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, offset) => {
    const index = from + offset;
    if (isBad(index)) return JSON.stringify({ foo: `bad-${index}` });
    return JSON.stringify({
      user_id: userOf(index),
      device_type: "android",
      ip: `198.51.${index >> 8 & 255}.${index & 255}`,
      device_id: `device-${index % 977}`,
      locale: null,
      app_version: "1.2.3",
    });
  });
}

/** Returns what messages 0 to `ids.length - 1` were, whose message ids are `ids`. */
export function sentAs(ids: readonly string[]): Sent {
  const bad = ids.filter((_, index) => isBad(index));
  return { events: ids.length - bad.length, bad };
}

/** Compares the database with numbered messages, one by one and not only by their counts. */
export async function compareWith(
  database: TestDatabase,
  ids: readonly string[],
): Promise<Difference> {
  const rows = await database.query<{ user_id: string; times: number }>(
    "SELECT user_id, count(*)::integer AS times FROM user_logins GROUP BY user_id",
  );
  const rejections = await database.query<{ message_id: string }>(
    "SELECT message_id FROM maskline.rejected",
  );
  const users = new Map(rows.map(({ user_id, times }) => [user_id, times]));
  const rejected = new Set(rejections.map(({ message_id }) => message_id));
  let lost = 0;
  let doubled = 0;
  ids.forEach((id, index) => {
    const rowsOfIt = users.get(userOf(index)) ?? 0;
    const times = rowsOfIt + Number(rejected.has(id));
    const isStored = isBad(index) ? rejected.has(id) : rowsOfIt > 0;
    if (!isStored) lost++;
    doubled += Math.max(0, times - 1);
    users.delete(userOf(index));
    rejected.delete(id);
  });
  // A row or rejection that no message explains counts as doubled.
  return { lost, doubled: doubled + users.size + rejected.size };
}

function isBad(index: number): boolean {
  return index % BAD_EVERY === BAD_EVERY - 1;
}

function userOf(index: number): string {
  return `user-${index}`;
}
