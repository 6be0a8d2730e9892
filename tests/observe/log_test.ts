import { reset } from "@logtape/logtape";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { getLogger, type LogOptions, startLog } from "../../lib/observe/log.ts";

/** Returns the lines that are written while `work` runs. */
async function linesOf(
  options: Pick<LogOptions, "level" | "format">,
  work: () => void,
): Promise<string[]> {
  const lines: string[] = [];
  await startLog({ ...options, write: (line) => void lines.push(line) });
  try {
    work();
  } finally {
    await reset();
  }
  return lines;
}

const log = getLogger("committer");

Deno.test("startLog() writes one JSON object on each line when the format is json", async () => {
  const lines = await linesOf({ level: "info", format: "json" }, () => {
    log.info("Committed {rows} rows", { rows: 3, batch: "b-1" });
    log.error("Two\nlines");
  });
  strictEqual(lines.length, 2);
  for (const line of lines) match(line, /^\{[^\n]*\}\n$/);
  const [first, second] = lines.map((line) => JSON.parse(line));
  strictEqual(first.message, "Committed 3 rows");
  strictEqual(first.part, "committer");
  deepStrictEqual([first.level, first.rows, first.batch], ["info", 3, "b-1"]);
  ok(Math.abs(Date.parse(first.time) - Date.now()) < 60_000);
  strictEqual(second.message, "Two\nlines");
});

Deno.test("startLog() writes time, level, part and text when the format is text", async () => {
  const [line] = await linesOf(
    { level: "info", format: "text" },
    () => log.warn("Committed {rows} rows", { rows: 3 }),
  );
  match(
    line ?? "",
    /^\d{2}:\d{2}:\d{2}\.\d{3} \[warning\] committer: Committed 3 rows\n$/,
  );
});

const levels = ["debug", "info", "warning", "error"] as const;
for (const [index, level] of levels.entries()) {
  const written = levels.slice(index);
  Deno.test(`startLog() writes ${written.join(", ")} when the level is ${level}`, async () => {
    const lines = await linesOf({ level, format: "json" }, () => {
      log.debug("debug");
      log.info("info");
      log.warn("warning");
      log.error("error");
    });
    deepStrictEqual(lines.map((line) => JSON.parse(line).message), written);
  });
}

Deno.test("startLog() writes JSON when the format is auto and stderr is not a terminal", async () => {
  const [line = ""] = await linesOf({ level: "info", format: "auto" }, () => log.info("x"));
  const isJson = line.startsWith("{");
  strictEqual(isJson, !Deno.stderr.isTerminal());
});

Deno.test("startLog() writes no records of LogTape itself when it starts", async () => {
  deepStrictEqual(await linesOf({ level: "debug", format: "json" }, () => {}), []);
});

Deno.test("startLog() replaces the earlier log when it is called again", async () => {
  const first: string[] = [];
  await startLog({ level: "debug", format: "json", write: (line) => void first.push(line) });
  const second = await linesOf({ level: "error", format: "json" }, () => {
    log.info("info");
    log.error("error");
  });
  deepStrictEqual([first.length, second.length], [0, 1]);
});

Deno.test("getLogger() writes nothing before the log starts and after it stops", async () => {
  const lines: string[] = [];
  log.error("before");
  await startLog({ level: "debug", format: "json", write: (line) => void lines.push(line) });
  await reset();
  log.error("after");
  deepStrictEqual(lines, []);
});
