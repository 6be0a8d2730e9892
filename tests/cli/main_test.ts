import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert";
import config from "../../deno.json" with { type: "json" };
import { parseArguments, UsageError } from "../../lib/cli/command.ts";
import { commands } from "../../lib/cli/commands.ts";
import { keygen } from "../../lib/cli/keygen.ts";
import { explainFailure, main } from "../../lib/cli/main.ts";
import { SettingsError } from "../../lib/config/read_settings.ts";
import { settings } from "../../lib/config/settings.ts";
import { fakeIo, type FakeIoOptions } from "../support/fake_io.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], options?: FakeIoOptions): Promise<Ended> {
  const io = fakeIo(options);
  const code = await main(args, io);
  return { code, ...io.written };
}

for (const flag of ["--help", "-h", "help"]) {
  Deno.test(`main() lists every command and setting on stdout when the argument is ${flag}`, async () => {
    const { code, out, err } = await run([flag]);
    deepStrictEqual([code, err], [0, ""]);
    for (const [name, { summary }] of Object.entries(commands)) {
      match(out, new RegExp(`^  ${name} +${summary}$`, "m"));
    }
    for (const name of Object.keys(settings)) match(out, new RegExp(`^  ${name}\\b`, "m"));
  });
}

Deno.test("main() prints help and exits with 2 when there are no arguments", async () => {
  const { code, out } = await run([]);
  strictEqual(code, 2);
  match(out, /^Commands:$/m);
});

for (const args of [["--version"], ["-V"], ["run", "--version"], ["mask", "--version"]]) {
  Deno.test(`main() prints the version when the arguments are ${args.join(" ")}`, async () => {
    deepStrictEqual(await run(args), { code: 0, out: `maskline ${config.version}\n`, err: "" });
  });
}

for (const name of Object.keys(commands)) {
  for (const flag of ["--help", "-h"]) {
    Deno.test(`main() prints usage and an example when the arguments are ${name} ${flag}`, async () => {
      const { code, out, err } = await run([name, flag]);
      deepStrictEqual([code, err], [0, ""]);
      ok(out.startsWith(`Usage: maskline ${name}`), out);
      // An example is indented by two and calls the command, with or without a shell's words around it.
      match(out, new RegExp(`^  (?!--).*\\bmaskline ${name}\\b`, "m"));
    });
  }
}

Deno.test("main() prints a command's help when required arguments are missing", async () => {
  const { code, out } = await run(["mask", "--help"]);
  strictEqual(code, 0);
  match(out, /^Usage: maskline mask FIELD /m);
});

const wrong: [args: string[], err: RegExp][] = [
  [["drein"], /^There is no such command, did you mean `maskline drain`\? See `maskline --help`$/],
  [["rnu"], /^There is no such command, did you mean `maskline run`\? See `maskline --help`$/],
  [["xyzzy"], /^There is no such command\. See `maskline --help`$/],
  [["explian"], /did you mean `maskline explain`\?/],
  [["203.0.113.7"], /^There is no such command/],
  [["__proto__"], /^There is no such command/],
  [["constructor"], /^There is no such command/],
  [["drain", "--jsno"], /^There is no such flag, did you mean --json\?$/],
  [["drain", "--jso"], /^There is no such flag, did you mean --json\?$/],
  [["check", "--offlin=yes"], /^There is no such flag, did you mean --offline\?$/],
  [["drain", "--__proto__"], /^There is no such flag; see --help$/],
  [["drain", "-x"], /^There is no such flag; see --help$/],
  [["drain", "--json=yes"], /^A flag has no value, or one that it does not take; see --help$/],
  [["rejected", "list", "--limit"], /^A flag has no value/],
  [["rejected", "list", "--limit", "0"], /^--limit: expected a whole number from 1 to 10000$/],
  [["rejected", "list", "--limit", "1.5"], /^--limit: expected a whole number/],
  [["rejected", "lost"], /^Expected: maskline rejected list\|show\|replay\|discard …$/],
  [["rejected"], /^Expected: maskline rejected list\|show\|replay\|discard …$/],
  [["keygen", "k2"], /^Expected: maskline keygen$/],
  [["explain", "203.0.113.7"], /^Expected: maskline explain$/],
  [["mask"], /^Expected: maskline mask FIELD /],
  [["mask", "ip", "203.0.113.7"], /^Expected: maskline mask FIELD /],
];
for (const [args, message] of wrong) {
  Deno.test(`main() prints what it expected and exits with 2 when the arguments are ${args.join(" ")}`, async () => {
    const { code, out, err } = await run(args);
    deepStrictEqual([code, out], [2, ""]);
    match(err.trimEnd(), message);
    ok(!err.includes("203.0.113.7"), "an argument that may be personal was repeated");
  });
}

for (const name of ["run", "drain"]) {
  Deno.test(`main() lists the missing settings of ${name} when nothing is set`, async () => {
    const { code, err } = await run([name]);
    strictEqual(code, 2);
    match(err, /^4 wrong settings:\n/);
    for (const setting of ["SQS_QUEUE_URL", "DATABASE_URL", "MASK_KEY", "VAULT_PUBLIC_KEY"]) {
      match(err, new RegExp(`^  ${setting}: is not set\\.`, "m"));
    }
  });
}

for (const args of [["migrate"], ["rejected", "list"]]) {
  Deno.test(`main() requires DATABASE_URL only when the arguments are ${args.join(" ")}`, async () => {
    const { code, err } = await run(args);
    strictEqual(code, 2);
    match(err, /^1 wrong setting:\n {2}DATABASE_URL: is not set\./);
  });
}

Deno.test("explainFailure() lists the problems when settings are wrong", () => {
  const io = fakeIo();
  strictEqual(explainFailure(new SettingsError(["A: one", "B: two"]), io), 2);
  strictEqual(io.written.err, "2 wrong settings:\n  A: one\n  B: two\n");
});

/** Runs a command whose standard input throws a bug, through `main()`, and returns what is on standard error. */
async function explainBug(fail: () => unknown): Promise<string> {
  const { written, ...io } = fakeIo();
  strictEqual(await main(["explain"], { ...io, input: async () => String(await fail()) }), 1);
  strictEqual(written.out, "");
  return written.err;
}

/** A message whose lines look like places of a stack. */
const STACK_LIKE = "cannot read zq7\n    at zq7\n    at zq7 (file:///zq7.ts:1:1)\n";

const bugs: [what: string, className: string, fail: () => unknown][] = [
  [
    "V8 quotes a value in a RangeError",
    "RangeError",
    () => new Intl.DateTimeFormat("en", { timeZone: "zq7" }),
  ],
  ["V8 quotes a value in a SyntaxError", "SyntaxError", () => JSON.parse(`{"user_id": zq7}`)],
  ["its message has lines like those of a stack", "Error", () => {
    throw new Error(STACK_LIKE);
  }],
  ["its cause has the value too", "TypeError", () => {
    throw new TypeError(STACK_LIKE, { cause: new Error(STACK_LIKE) });
  }],
  ["a library set its name to the value", "TypeError", () => {
    throw Object.assign(new TypeError(STACK_LIKE), { name: STACK_LIKE });
  }],
  ["it is several errors", "Error", () => {
    throw new AggregateError([new Error(STACK_LIKE)], STACK_LIKE);
  }],
];
for (const [what, className, fail] of bugs) {
  Deno.test(`explainFailure() hides the message of a bug and shows its stack when ${what}`, async () => {
    const err = await explainBug(fail);
    ok(!err.includes("zq7"), err);
    const [first, ...places] = err.trimEnd().split("\n");
    strictEqual(
      first,
      `Maskline failed with ${className}, which is a bug. Please report it with this stack:`,
    );
    ok(places.every((line) => /^ {4}at /.test(line)), err);
    match(places.join("\n"), /main_test\.ts:\d+:\d+\)?$/m);
  });
}

Deno.test("explainFailure() hides the first message of a bug when a library changed it later", async () => {
  const err = await explainBug(() => {
    const error = new TypeError(STACK_LIKE);
    // V8 formats the stack when it is first read, with the message of that moment.
    ok(error.stack?.includes("zq7"));
    error.message = "redacted";
    throw error;
  });
  ok(!err.includes("zq7"), err);
  match(
    err,
    /^Maskline failed with TypeError, which is a bug. Please report it with this stack:\n/,
  );
});

Deno.test("explainFailure() repeats nothing when a string is thrown", async () => {
  const err = await explainBug(() => {
    throw STACK_LIKE;
  });
  strictEqual(
    err.trimEnd(),
    "Maskline failed with a value that is not an error, which is a bug. Please report it with this stack:",
  );
});

Deno.test("parseArguments() does not repeat a flag when it is unknown", () => {
  throws(() => parseArguments(keygen, ["-zq7"]), (error) => {
    ok(error instanceof UsageError && !error.message.includes("zq7"));
    return true;
  });
});
