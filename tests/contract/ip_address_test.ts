import { strictEqual } from "node:assert";
import { toCanonicalIpAddress } from "../../lib/contract/ip_address.ts";

function checkAll(cases: Record<string, string | null>): void {
  for (const [text, expected] of Object.entries(cases)) {
    strictEqual(toCanonicalIpAddress(text), expected, JSON.stringify(text));
  }
}

function refuses(...texts: string[]): void {
  for (const text of texts) strictEqual(toCanonicalIpAddress(text), null, JSON.stringify(text));
}

Deno.test("toCanonicalIpAddress() returns IPv4 unchanged when it is valid", () => {
  for (const text of ["0.0.0.0", "255.255.255.255", "10.0.0.1", "192.0.2.1", "1.20.200.0"]) {
    strictEqual(toCanonicalIpAddress(text), text);
  }
});

Deno.test("toCanonicalIpAddress() rejects IPv4 when a number has a leading zero", () => {
  refuses("192.0.2.01", "010.0.0.1", "00.0.0.0", "1.2.3.000", "::ffff:1.2.3.04");
});

Deno.test("toCanonicalIpAddress() rejects IPv4 when a number is above 255", () => {
  refuses("256.0.0.0", "0.0.0.256", "1.2.3.1000", "1.999.3.4", "::1.2.3.256");
});

Deno.test("toCanonicalIpAddress() rejects IPv4 when it does not have exactly four numbers", () => {
  refuses(
    "1",
    "1.2",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.4.",
    "....",
    "...",
  );
});

Deno.test("toCanonicalIpAddress() rejects IPv4 when it is not decimal", () => {
  refuses("0x7f.0.0.1", "2130706433", "0x7f000001", "1.2.3.a", "+1.2.3.4", "-1.2.3.4", "1e1.0.0.1");
});

Deno.test("toCanonicalIpAddress() rejects digits when they are not ASCII", () => {
  // Arabic-Indic digits, a full-width 1, dot and colon, and a Cyrillic а instead of the Latin one.
  refuses(
    "\u0661.\u0662.\u0663.\u0664",
    "\uff11.2.3.4",
    "1\uff0e2.3.4",
    "2001\uff1adb8::1",
    "::\u0430",
  );
});

Deno.test("toCanonicalIpAddress() compresses the longest run when IPv6 has several", () => {
  checkAll({
    "2001:0:0:1:0:0:0:1": "2001:0:0:1::1",
    "2001:0:0:0:1:0:0:1": "2001::1:0:0:1",
    "0:0:1:2:3:0:0:0": "0:0:1:2:3::",
  });
});

Deno.test("toCanonicalIpAddress() compresses the first run when two are equally long", () => {
  checkAll({ "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1", "0:0:1:2:3:4:0:0": "::1:2:3:4:0:0" });
});

Deno.test("toCanonicalIpAddress() writes one zero group out when its neighbours are not zero", () => {
  checkAll({
    "2001:db8::1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "1:2:3::5:6:7:8": "1:2:3:0:5:6:7:8",
  });
});

Deno.test("toCanonicalIpAddress() removes leading zeros and capitals when IPv6 has them", () => {
  checkAll({
    "2001:0DB8:0000:0000:0000:0000:0000:0001": "2001:db8::1",
    "FE80::ABCD:EF01": "fe80::abcd:ef01",
    "0:0:0:0:0:0:0:0": "::",
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "::0": "::",
    "FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  });
});

Deno.test("toCanonicalIpAddress() returns plain IPv4 when IPv6 maps it", () => {
  checkAll({
    "::ffff:192.0.2.1": "192.0.2.1",
    "::FFFF:C000:0201": "192.0.2.1",
    "0:0:0:0:0:ffff:c000:201": "192.0.2.1",
    "0000:0000:0000:0000:0000:FFFF:255.255.255.255": "255.255.255.255",
    "0::0:ffff:c000:201": "192.0.2.1",
    "::ffff:0:0": "0.0.0.0",
    "::ffff:0:1": "0.0.0.1",
  });
});

Deno.test("toCanonicalIpAddress() returns hexadecimal when dotted IPv6 is not IPv4-mapped", () => {
  checkAll({
    "::192.0.2.1": "::c000:201", // IPv4-compatible, deprecated
    "::0.0.0.1": "::1",
    "64:ff9b::192.0.2.1": "64:ff9b::c000:201", // NAT64, RFC 6052
    "64:ff9b:1::192.0.2.1": "64:ff9b:1::c000:201", // local NAT64, RFC 8215
    "::ffff:0:192.0.2.1": "::ffff:0:c000:201", // IPv4-translated, RFC 2765
    "2002:c000:201::": "2002:c000:201::", // 6to4, RFC 3056
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
    "1::ffff:1.2.3.4": "1::ffff:102:304",
  });
});

Deno.test("toCanonicalIpAddress() rejects IPv6 when the number of groups is wrong", () => {
  refuses("1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:1.2.3.4:8", "1:2:3:4:5:6:7:1.2.3.4");
});

Deno.test("toCanonicalIpAddress() rejects `::` when it would replace no group", () => {
  refuses("1:2:3:4::5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6::1.2.3.4");
});

Deno.test("toCanonicalIpAddress() rejects IPv6 when its colons are misplaced", () => {
  refuses(
    ":",
    ":::",
    "::::",
    "1::2::3",
    ":1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:",
    "1:",
    ":1",
    "1:::2",
  );
  refuses(":1.2.3.4", "1.2.3.4:", "1.2.3.4::", "::1.2.3.4:5");
});

Deno.test("toCanonicalIpAddress() rejects a group when it is not 1 to 4 hexadecimal digits", () => {
  refuses(
    "00001::",
    "12345::",
    "g::",
    "::@",
    "::`",
    "::G",
    "0x1::",
    "::1.2",
    "::a.1.2.3",
    "::.1.2.3",
  );
});

Deno.test("toCanonicalIpAddress() rejects an address when it has other text around it", () => {
  refuses("fe80::1%eth0", "fe80::1%25eth0", "192.0.2.1%eth0", "[::1]", "[::1]:80", "192.0.2.1:80");
  refuses("192.0.2.0/24", "2001:db8::/32", "::1/128", "http://192.0.2.1", "192.0.2.1,192.0.2.2");
});

Deno.test("toCanonicalIpAddress() rejects an address when it has white space or U+0000", () => {
  refuses(
    " 192.0.2.1",
    "192.0.2.1 ",
    "192.0.2.1\n",
    "192. 0.2.1",
    "\t::1",
    "::1\n",
    ":: 1",
    "::1\0",
  );
});

Deno.test("toCanonicalIpAddress() rejects a text when it is not an address", () => {
  refuses("", " ", "a", "localhost", "unknown", "null", "0", "-", "\u{1F600}");
});

Deno.test("toCanonicalIpAddress() accepts 45 characters, and rejects more without parsing", () => {
  const longest = "ABCD:ABCD:ABCD:ABCD:ABCD:ABCD:255.255.255.255";
  strictEqual(longest.length, 45);
  strictEqual(toCanonicalIpAddress(longest), "abcd:abcd:abcd:abcd:abcd:abcd:ffff:ffff");
  refuses(longest + "5", "1.2.3.4" + " ".repeat(39), "1:".repeat(1_000_000), "0".repeat(1_000_000));
});
