import { deepStrictEqual, match, strictEqual } from "node:assert";
import { fileURLToPath } from "node:url";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the real process, with these bytes on its standard input and nothing in its environment. */
async function maskline(args: readonly string[], stdin: BlobPart = ""): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "main.ts", ...args],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    clearEnv: true,
    // Deno needs them to find its packages.
    env: Object.fromEntries(
      ["HOME", "DENO_DIR", "DENO_TLS_CA_STORE", "PATH"].flatMap((name) => {
        const value = Deno.env.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([stdin]).stream().pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const message =
  `{"user_id":"Zoë 📱","device_type":"ios","ip":"::1","device_id":"d","app_version":"1"}`;

Deno.test("main.ts returns the command's exit status and writes both streams when it is run as a process", async () => {
  const { code, out, err } = await maskline(["check", "--offline"]);
  strictEqual(code, 2);
  match(out, /^FAIL {2}SQS_QUEUE_URL: is not set/);
  strictEqual(err, "");
});

Deno.test("input() decodes standard input as UTF-8 when it has characters beyond ASCII", async () => {
  const { code, out } = await maskline(["explain"], message);
  strictEqual(code, 0);
  match(out, /→ user_id = "Zoë 📱"/);
});

Deno.test("input() keeps a byte order mark when standard input begins with one", async () => {
  // The worker sees it too. `text()` removed it, so `explain` accepted a message that the worker rejects.
  const { code, out } = await maskline(["explain"], `\ufeff${message}`);
  deepStrictEqual([code, out], [1, "rejected: not_json: The body is not JSON\n"]);
});

Deno.test("input() reads all of standard input when it is 1 MiB", async () => {
  const { code, out } = await maskline(
    ["explain"],
    message.replace("{", `{"more":"${"x".repeat(1024 * 1024)}",`),
  );
  strictEqual(code, 0);
  match(out, /^1 unknown keys are ignored$/m);
});

/** Runs a shell script with the real program as `maskline`. */
async function shell(script: string): Promise<{ readonly out: string; readonly err: string }> {
  const entry = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      `deno=$0 entry=$1; maskline() { "$deno" run --quiet -A "$entry" "$@"; }; ${script}`,
      Deno.execPath(),
      entry,
    ],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

// The reader has closed its end by the time the program writes.
Deno.test("main.ts says that standard output is closed, and reports no bug, when nobody reads it", async () => {
  const { err } = await shell(`{ sleep 0.3; maskline --help; echo "status $?" >&2; } | true`);
  strictEqual(
    err,
    "Standard output could not be written: its reader has closed it\nstatus 1\n",
  );
});

Deno.test("main.ts says that standard output takes no more, and reports no bug, when its disk is full", async () => {
  const { err } = await shell(`maskline --help > /dev/full; echo "status $?" >&2`);
  strictEqual(err, "Standard output could not be written: it cannot take more\nstatus 1\n");
});

Deno.test("main.ts returns the command's status when standard error cannot be written", async () => {
  const full = await shell(`maskline nothing 2> /dev/full; echo "status $?"`);
  strictEqual(full.out, "status 2\n");
  const closed = await shell(
    `{ { sleep 0.3; maskline nothing; echo "status $?" >&3; } 2>&1 | true; } 3>&1`,
  );
  strictEqual(closed.out, "status 2\n");
});
