import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Contract } from "../../lib/contract/contract.ts";
import { decode } from "../../lib/contract/decode.ts";
import { login } from "../../lib/contract/login.ts";

const valid = `{"user_id":"u-1","device_type":"ios","ip":"::1",` +
  `"device_id":"d-1","locale":null,"app_version":"1"}`;
const values = ["u-1", "ios", "::1", "d-1", null, 1_000_000];

/** Returns the valid message with more keys before or after its own. */
function withKeys(front: string, behind = ""): string {
  return valid.replace("{", () => `{${front}`).replace(/\}$/, () => `${behind}}`);
}

const notJson = {
  "is empty": "",
  "is white space": " \n",
  "is a word": "hello",
  "is truncated": valid.slice(0, -1),
  "has text after it": `${valid}x`,
  "is two objects": `${valid}${valid}`,
  "has an extra comma": withKeys("", ","),
  "has single quotes": valid.replaceAll(`"`, "'"),
  "has a comment": `/* a */${valid}`,
  "has a byte order mark": `\ufeff${valid}`,
  "has a raw control character in a string": valid.replace("u-1", "u\n1"),
  "is NaN": "NaN",
  "is a number with a leading zero": "01",
  "is a lone surrogate": "\ud800",
};
for (const [what, body] of Object.entries(notJson)) {
  Deno.test(`decode() rejects as not_json when the body ${what}`, () => {
    deepStrictEqual(decode(login, body), { kind: "rejection", reason: "not_json", field: null });
  });
}

const notObject = {
  "an array": `[${valid}]`,
  "an empty array": "[]",
  "a number": "42",
  "a huge number": "1e400",
  "a string": JSON.stringify(valid),
  "null": "null",
  "true": "true",
};
for (const [what, body] of Object.entries(notObject)) {
  Deno.test(`decode() rejects as not_an_object when the body is ${what}`, () => {
    const expected = { kind: "rejection", reason: "not_an_object", field: null };
    deepStrictEqual(decode(login, body), expected);
  });
}

Deno.test("decode() names the first field of the contract when several are wrong", () => {
  const expected = { kind: "rejection", reason: "missing", field: "user_id" };
  deepStrictEqual(decode(login, "{}"), expected);
  deepStrictEqual(decode(login, `{"app_version":"x","ip":"x"}`), expected);
  const second = { kind: "rejection", reason: "wrong_type", field: "device_type" };
  deepStrictEqual(decode(login, `{"app_version":"x","device_type":1,"user_id":"u"}`), second);
});

Deno.test("decode() counts the keys that the contract does not have", () => {
  const body = withKeys(`"a":1,"USER_ID":"x",`, `,"":{"user_id":2},"ip ":null`);
  deepStrictEqual(decode(login, body), { kind: "event", values, unknownFields: 4 });
});

Deno.test("decode() counts the same unknown keys when the locale is absent", () => {
  const body = withKeys(`"a":1,`).replace(`"locale":null,`, "");
  deepStrictEqual(decode(login, body), { kind: "event", values, unknownFields: 1 });
});

Deno.test("decode() counts an unknown key once when it is there twice", () => {
  deepStrictEqual(decode(login, withKeys(`"a":1,"a":2,`)), {
    kind: "event",
    values,
    unknownFields: 1,
  });
});

Deno.test("decode() uses the last value when a key is there twice", () => {
  deepStrictEqual(decode(login, withKeys(`"user_id":7,`)), {
    kind: "event",
    values,
    unknownFields: 0,
  });
  deepStrictEqual(decode(login, withKeys("", `,"user_id":7`)), {
    kind: "rejection",
    reason: "wrong_type",
    field: "user_id",
  });
});

Deno.test("decode() reads a key when it has escapes", () => {
  const body = valid.replace(`"user_id"`, String.raw`"\u0075ser_id"`);
  deepStrictEqual(decode(login, body), { kind: "event", values, unknownFields: 0 });
});

Deno.test("decode() reads no field from __proto__", () => {
  deepStrictEqual(decode(login, `{"__proto__":${valid}}`), {
    kind: "rejection",
    reason: "missing",
    field: "user_id",
  });
});

Deno.test("decode() counts __proto__ and constructor as unknown and changes no prototype", () => {
  const body = withKeys(`"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},`);
  deepStrictEqual(decode(login, body), { kind: "event", values, unknownFields: 2 });
  strictEqual(Reflect.get({}, "polluted"), undefined);
});

Deno.test("decode() reads no inherited property when the contract has a field of its name", () => {
  const [field] = login.fields;
  ok(field);
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    const contract: Contract = { ...login, fields: [{ ...field, name }] };
    deepStrictEqual(decode(contract, "{}"), { kind: "rejection", reason: "missing", field: name });
    const own = decode(contract, `{"${name}":"own"}`);
    deepStrictEqual(own, { kind: "event", values: ["own"], unknownFields: 0 });
  }
});

const depth = 100_000;
const deepArray = "[".repeat(depth) + "]".repeat(depth);
const deepObject = `{"a":`.repeat(depth) + "0" + "}".repeat(depth);

Deno.test("decode() ignores an unknown value when it is nested 100,000 deep", () => {
  const body = withKeys(`"a":${deepArray},"b":${deepObject},`);
  deepStrictEqual(decode(login, body), { kind: "event", values, unknownFields: 2 });
});

Deno.test("decode() rejects as wrong_type when a field is nested 100,000 deep", () => {
  for (const deep of [deepArray, deepObject]) {
    deepStrictEqual(decode(login, valid.replace(`"u-1"`, () => deep)), {
      kind: "rejection",
      reason: "wrong_type",
      field: "user_id",
    });
  }
});

Deno.test("decode() rejects as not_an_object when the body is an array nested 100,000 deep", () => {
  const expected = { kind: "rejection", reason: "not_an_object", field: null };
  deepStrictEqual(decode(login, deepArray), expected);
});

Deno.test("decode() rejects as wrong_type when a field is a huge number", () => {
  for (const number of ["1e400", "-1e400", "9".repeat(10_000), "1e-400"]) {
    deepStrictEqual(decode(login, valid.replace(`"u-1"`, number)), {
      kind: "rejection",
      reason: "wrong_type",
      field: "user_id",
    });
  }
});

const mebibyte = "x".repeat(1024 * 1024);

Deno.test("decode() reads a body of 1 MiB when it consists mostly of an unknown field", () => {
  deepStrictEqual(decode(login, withKeys(`"a":"${mebibyte}",`)), {
    kind: "event",
    values,
    unknownFields: 1,
  });
});

Deno.test("decode() rejects with the field's reason when its text is 1 MiB", () => {
  const rejects = (from: string, reason: string, field: string) =>
    deepStrictEqual(decode(login, valid.replace(from, mebibyte)), {
      kind: "rejection",
      reason,
      field,
    });
  rejects("u-1", "too_long", "user_id");
  rejects("::1", "not_an_ip_address", "ip");
  rejects("d-1", "too_long", "device_id");
});
