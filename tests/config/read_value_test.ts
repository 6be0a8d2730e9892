import { OperationError } from "../../lib/base/errors.ts";
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert";
import { findNearest, readValue } from "../../lib/config/read_value.ts";
import { type Row, settings } from "../../lib/config/settings.ts";

const integers = Object.entries<Row>(settings).flatMap(([name, row]) =>
  row.kind === "integer" ? [{ name, row }] : []
);

Deno.test("settings has the integer rows that the tests below use", () => {
  ok(integers.length >= 8);
});

for (const { name, row } of integers) {
  const { min, max } = row;
  Deno.test(`readValue() accepts ${name} when it is ${min}, ${row.default} or ${max}`, () => {
    for (const value of [min, row.default, max]) strictEqual(readValue(row, `${value}`), value);
  });
  Deno.test(`readValue() throws when ${name} is ${min - 1} or ${max + 1}`, () => {
    for (const value of [min - 1, max + 1]) {
      throws(() => readValue(row, `${value}`), {
        name: "OperationError",
        message: `expected a whole number from ${min} to ${max}, got "${value}"`,
      });
    }
  });
  Deno.test(`readValue() throws when ${name} is not a plain whole number`, () => {
    for (
      const text of ["", " ", "x", "1.5", "1e1", "0x10", "+10", "-1", " 10", "10 ", "١٠", "10s"]
    ) {
      throws(() => readValue(row, text), OperationError, JSON.stringify(text));
    }
    for (const text of ["NaN", "Infinity", "9".repeat(400)]) {
      throws(() => readValue(row, text), OperationError, text);
    }
  });
}

const choices = Object.entries<Row>(settings).flatMap(([name, row]) =>
  row.kind === "choice" ? [{ name, row }] : []
);
for (const { name, row } of choices) {
  Deno.test(`readValue() accepts ${name} when it is ${row.choices.join(" or ")}`, () => {
    for (const choice of row.choices) strictEqual(readValue(row, choice), choice);
  });
  Deno.test(`readValue() accepts ${name} when it is in capitals`, () => {
    for (const choice of row.choices) {
      strictEqual(readValue(row, choice.toUpperCase()), choice);
      strictEqual(readValue(row, `${choice.slice(0, 1).toUpperCase()}${choice.slice(1)}`), choice);
    }
  });
  Deno.test(`readValue() throws when ${name} has white space or is empty`, () => {
    const [first = ""] = row.choices;
    for (const text of [` ${first}`, `${first}\n`, ""]) {
      throws(() => readValue(row, text), OperationError, JSON.stringify(text));
    }
  });
  Deno.test(`settings has a default for ${name} that is one of its choices`, () => {
    ok(row.choices.includes(row.default));
  });
}

Deno.test("readValue() suggests the nearest choice when one is mistyped", () => {
  throws(() => readValue(settings.LOG_LEVEL, "wraning"), {
    message: `expected one of debug, info, warning, error, got "wraning". Did you mean warning?`,
  });
  throws(() => readValue(settings.LOG_LEVEL, "everything"), {
    message: `expected one of debug, info, warning, error, got "everything"`,
  });
});

for (
  const [text, hostname, port] of [
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    ["0.0.0.0:1", "0.0.0.0", 1],
    ["localhost:65535", "localhost", 65_535],
    ["[::]:80", "::", 80],
    ["[fe80::A]:80", "fe80::A", 80],
    ["127.0.0.1:0", "127.0.0.1", 0],
  ] as const
) {
  Deno.test(`readValue() returns host and port when an address is ${text}`, () => {
    deepStrictEqual(readValue(settings.HTTP_ADDRESS, text), { hostname, port });
  });
}

Deno.test("readValue() returns off when an address is off", () => {
  strictEqual(readValue(settings.HTTP_ADDRESS, "off"), "off");
});

for (
  const text of [
    "8080",
    ":8080",
    "host",
    "host:",
    "host:x",
    "host:65536",
    "host:-1",
    "::1:80",
    "a b:80",
    "http://host:80",
    "host:80 ",
  ]
) {
  Deno.test(`readValue() throws when an address is ${JSON.stringify(text)}`, () => {
    throws(() => readValue(settings.HTTP_ADDRESS, text), {
      name: "OperationError",
      message: /^expected host:port or off, got (?:"|another text$)/,
    });
  });
}

Deno.test("readValue() accepts a URL when its scheme is one of the row's", () => {
  for (const text of ["https://a/b", "http://127.0.0.1:9324/1/q", "HTTPS://A/b"]) {
    strictEqual(String(readValue(settings.SQS_QUEUE_URL, text)), new URL(text).href);
  }
  for (const text of ["postgres://db/a", "postgresql://u:p@db:5433/a?sslmode=require"]) {
    strictEqual(String(readValue(settings.DATABASE_URL, text)), text);
  }
});

Deno.test("readValue() throws when a URL has no scheme or host, or another scheme", () => {
  for (const text of ["", "a", "db:5432", "//db/a", "postgres://", "postgres:db", "https://db/a"]) {
    throws(() => readValue(settings.DATABASE_URL, text), {
      name: "OperationError",
      message:
        "expected a URL that starts with postgres:// or postgresql://, got a text that is not such a URL",
    }, text);
  }
});

Deno.test("readValue() returns a text unchanged when it has 1 to 128 characters", () => {
  for (const text of ["a", " a ", "a".repeat(128), "📱".repeat(128)]) {
    strictEqual(readValue(settings.DEDUPE_FIELD, text), text);
  }
});

Deno.test("readValue() throws, and repeats nothing, when a text is too short or too long", () => {
  for (
    const [text, count] of [["", 0], ["zq7".repeat(43), 129], ["📱".repeat(129), 129]] as const
  ) {
    throws(() => readValue(settings.DEDUPE_FIELD, text), {
      name: "OperationError",
      message: `expected 1 to 128 characters, got ${count}`,
    });
  }
});

Deno.test("findNearest() returns the choice when at most two in five of its letters differ", () => {
  strictEqual(findNearest("drein", ["run", "drain", "check"]), "drain");
  strictEqual(findNearest("explian", ["explain", "drain"]), "explain");
  strictEqual(findNearest("rum", ["run", "drain"]), "run");
  strictEqual(findNearest("ran", ["run", "drain"]), "run");
});

Deno.test("findNearest() returns null when no choice is near or there is none", () => {
  strictEqual(findNearest("zzz", ["run", "drain"]), null);
  strictEqual(findNearest("drxxx", ["run", "drain"]), null);
  strictEqual(findNearest("run", []), null);
  strictEqual(findNearest("MASK_KEY_ALL", ["MASK_KEY"], 2), null);
});

Deno.test("readValue() does not repeat a URL with a password when it was set under another name", () => {
  const text = "postgres://app:zq-secret@db.example.org/app";
  for (const row of [settings.HTTP_ADDRESS, settings.BATCH_ROWS, settings.LOG_LEVEL]) {
    throws(() => readValue(row, text), (error: Error) => {
      match(error.message, /got another text/);
      return !error.message.includes("zq-secret");
    });
  }
});
