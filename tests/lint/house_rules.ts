import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The rules of this house that a linter can watch over: the floors of the design page
 * and the habits 3 and 7 of the house style. `deno lint` loads the file, see `lint.plugins` in
 * `deno.json`.
 *
 * Where a rule cannot be sure it stays quiet: a false alarm teaches people to silence all of them.
 */
const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "sql-has-a-home": { create: sqlHasAHome },
    "downward-imports": { create: downwardImports },
    "hash-private": { create: hashPrivate },
    "one-driver": { create: oneDriver },
  },
};
export default plugin;

type Context = Deno.lint.RuleContext;
type Visitor = Deno.lint.LintVisitor;
type Node = Deno.lint.Node;

// ── Where a file is ─────────────────────────────────────────────────────────────────────────────

const root = new URL("../../", import.meta.url);

/** `lib/event/decode.ts` for a file of this repository; null for any other. */
function pathInHouse(file: URL): string | null {
  const { pathname } = root;
  if (file.protocol !== root.protocol || !file.pathname.startsWith(pathname)) return null;
  return decodeURIComponent(file.pathname.slice(pathname.length));
}

/** The linter gives absolute names; the tests of these rules give names relative to the root. */
function urlOf({ filename }: Context): URL {
  return isAbsolute(filename) ? pathToFileURL(filename) : new URL(filename, root);
}

/** Whether the path is one of these files or in one of these folders, which end with `/`. */
function isIn(path: string, homes: readonly string[]): boolean {
  return homes.some((home) => home.endsWith("/") ? path.startsWith(home) : path === home);
}

/** Calls back for every address that a file imports: types, re-exports and `import()` included. */
function forEachImport(visit: (specifier: string, node: Node) => void): Visitor {
  return {
    ImportDeclaration: (node) => visit(node.source.value, node),
    ExportAllDeclaration: (node) => visit(node.source.value, node),
    ExportNamedDeclaration: (node) => node.source && visit(node.source.value, node),
    ImportExpression: (node) => visit(textOf(node.source), node),
    TSExternalModuleReference: (node) => visit(node.expression.value, node),
    TSImportType(node) {
      if (node.argument.type === "TSLiteralType") visit(textOf(node.argument.literal), node);
    },
  };
}

/** What stands for a part of a text that only the running program knows. Reads as a name in SQL. */
const UNKNOWN = "_";

/** The text of a literal, a template or a sum of them. */
function textOf(node: Node): string {
  if (node.type === "Literal") return String(node.value);
  if (node.type === "TemplateLiteral") return node.quasis.map((part) => part.cooked).join(UNKNOWN);
  if (isSum(node)) return textOf(node.left) + textOf(node.right);
  return UNKNOWN;
}

function isSum(node: Node): node is Deno.lint.BinaryExpression {
  return node.type === "BinaryExpression" && node.operator === "+";
}

// ── house/downward-imports ──────────────────────────────────────────────────────────────────────

const ROOMS_OF_THE_GROUND_FLOOR = ["queue", "event", "mask", "vault", "store", "config", "observe"];

const floors = new Map([
  ["main.ts", 4],
  ["lib/cli", 3],
  ["lib/local", 3],
  ["lib/pipeline", 2],
  ...ROOMS_OF_THE_GROUND_FLOOR.map((room) => [`lib/${room}`, 1] as const),
]);

/** `main.ts`, `lib/cli`, `tests`, `deploy`, …; null for what is no part of the program. */
function roomOf(path: string): string | null {
  if (path === "main.ts") return path;
  const [, room] = /^(lib\/[^/]+|tests|deploy)(?:\/|$)/.exec(path) ?? [];
  return room ?? null;
}

function downwardImports(context: Context): Visitor {
  const url = urlOf(context);
  const from = roomOf(pathInHouse(url) ?? "");
  // Tests and operators' tools stand outside of the house and may look into every room.
  if (from === null || from === "tests" || from === "deploy") return {};
  if (!floors.has(from)) {
    const message = `${from} is on no floor: wanted main.ts or one of ` +
      [...floors.keys()].filter((room) => room.startsWith("lib/")).join(", ");
    return { Program: (node) => context.report({ node, message }) };
  }
  return forEachImport((specifier, node) => {
    if (!/^(?:\.{1,2}\/|\/|file:)/.test(specifier) || !URL.canParse(specifier, url)) return;
    const to = roomOf(pathInHouse(new URL(specifier, url)) ?? "");
    const message = to === null ? null : whatIsWrongWith(from, to);
    if (message !== null) context.report({ node, message });
  });
}

function whatIsWrongWith(from: string, to: string): string | null {
  if (from === to) return null;
  if (to === "tests" || to === "deploy") {
    return `${from} imports ${to}/: wanted nothing of it in what is shipped`;
  }
  if (to === "lib/local") {
    return `${from} imports lib/local: wanted only lib/local, deploy/ and tests/ to import it, ` +
      "because it is never in the binary";
  }
  const above = floors.get(from) ?? 0;
  const below = floors.get(to) ?? 0;
  if (from === "lib/local" || below < above) return null;
  const where = below === above ? "a room of the same floor" : "a higher floor";
  return `${from} imports ${to}, ${where}: wanted its own room or a lower floor ` +
    "(main.ts → lib/cli → lib/pipeline → the other rooms)";
}

// ── house/one-driver ────────────────────────────────────────────────────────────────────────────

const drivers: readonly { packages: RegExp; homes: readonly string[] }[] = [
  { packages: /^(?:@types\/)?pg$/, homes: ["lib/store/postgres.ts", "tests/"] },
  { packages: /^@aws-sdk\//, homes: ["lib/queue/", "deploy/", "tests/"] },
  { packages: /^@hpke\//, homes: ["lib/vault/"] },
  { packages: /^(?:@electric-sql\/pglite.*|fauxqs)$/, homes: ["lib/local/", "tests/"] },
];

function oneDriver(context: Context): Visitor {
  const path = pathInHouse(urlOf(context));
  if (path === null) return {};
  return forEachImport((specifier, node) => {
    const [, name = ""] = /^(?:npm:\/?|jsr:\/?)?((?:@[^/@]+\/)?[^/@]+)/.exec(specifier) ?? [];
    const homes = drivers.find(({ packages }) => packages.test(name))?.homes;
    if (homes === undefined || isIn(path, homes)) return;
    const message = `${name} is imported here: wanted only in ${homes.join(" and ")}, ` +
      "so that the rest of the house knows the seam and not the driver";
    context.report({ node, message });
  });
}

// ── house/hash-private ──────────────────────────────────────────────────────────────────────────

function hashPrivate(context: Context): Visitor {
  function check({ range }: Node | Deno.lint.AccessorProperty, modifier = "", kind = ""): void {
    if (modifier !== "private" && modifier !== "protected") return;
    const wanted = kind === "constructor"
      ? "a class that is not exported, and an exported function that makes it"
      : "a #name, which holds while the program runs and keeps values out of console.log()";
    context.report({ range, message: `\`${modifier}\` on a class member: wanted ${wanted}` });
  }
  return {
    PropertyDefinition: (node) => check(node, node.accessibility),
    MethodDefinition: (node) => check(node, node.accessibility, node.kind),
    AccessorProperty: (node: Deno.lint.AccessorProperty) => check(node, node.accessibility),
    TSAbstractMethodDefinition: (node) => check(node, node.accessibility),
    TSAbstractPropertyDefinition: (node) => check(node, node.accessibility),
    TSParameterProperty(node) {
      // Deno 2.9.6 gives it the `accessibility` of its constructor, so the text is read instead.
      const front = context.sourceCode.text.slice(node.range[0], node.parameter.range[0]);
      check(node, /\b(?:private|protected)\b/.exec(front)?.[0]);
    },
  };
}

// ── house/sql-has-a-home ────────────────────────────────────────────────────────────────────────

const SQL_HOMES = ["lib/store/sql/", "lib/store/migrations/", "lib/local/"];

function sqlHasAHome(context: Context): Visitor {
  const path = pathInHouse(urlOf(context));
  if (path === null || !isIn(path, ["main.ts", "lib/"]) || isIn(path, SQL_HOMES)) return {};
  function check(node: Node & { parent: Node }): void {
    if (isSum(node.parent)) return; // the whole sum is looked at once
    const text = textOf(node);
    if (!(isArgumentOfQuery(node) ? VERB.test(text) : looksLikeSql(text))) return;
    context.report({
      node,
      message: `SQL stands here: wanted in a file of ${SQL_HOMES.slice(0, 2).join(" or ")}`,
    });
  }
  return {
    Literal: (node) => typeof node.value === "string" && check(node),
    TemplateLiteral: check,
    BinaryExpression: (node) => isSum(node) && check(node),
  };
}

/** `client.query("begin")`: there one word is enough. */
function isArgumentOfQuery({ parent }: { parent: Node }): boolean {
  return parent.type === "CallExpression" && parent.callee.type === "MemberExpression" &&
    parent.callee.property.type === "Identifier" && parent.callee.property.name === "query";
}

/** What may stand before a statement: white space, comments, parentheses. */
const FRONT = String.raw`^(?:[\s(]|--[^\n]*\n|/\*[\s\S]*?\*/)*`;
/** A name, quoted or not. An article or the like means that the text is English. */
const NAME = "(?!(?:an?|the|this|that|these|those|its|our|your|each|every|any|all|it|them)\\b)" +
  String.raw`(?:"[^"]+"|\w[\w$]*)(?:\.(?:"[^"]+"|[\w$]+))*`;
const END = String.raw`\s*(?:;|$)`;
const OBJECT = "(?:table|schema|index|view|function|procedure|trigger|type|role|user|database|" +
  "extension|sequence|domain|policy|publication|subscription)";
/** What follows the name in CREATE, ALTER and DROP; "create table partitions early" lacks it. */
const DEFINITION =
  String.raw`\s*(?:[;(,]|$|(?:as|on|partition|authorization|before|after|instead|` +
  "with|login|nologin|add|alter|drop|rename|owner|set|reset|enable|disable|attach|detach|" +
  "validate|force|cascade|restrict)\\b)";

const VERB = new RegExp(
  `${FRONT}(?:select|insert|update|delete|merge|with|create|alter|drop|truncate|grant|revoke|` +
    String.raw`begin|start|commit|rollback|savepoint|set|lock|copy|call|comment|do|refresh)\b`,
  "i",
);

/** Enough of each statement that an English sentence with the same first word is not one. */
const STATEMENTS = [
  String.raw`select\s[\s\S]*?\bfrom\s+\(*${NAME}`,
  String.raw`select\s+(?:\d+|\$\d+|'[^']*'|[\w.]+\s*\([^)]*\)|current_\w+)\s*(?:,|;|$|::|as\b)`,
  String.raw`insert\s+into\s+${NAME}\s*(?:[;(]|$|(?:as|values|select|default|overriding|with)\b)`,
  String.raw`update\s+(?:only\s+)?${NAME}(?:\s+(?:as\s+)?\w+)?\s+set\s[\s\S]*=`,
  String.raw`delete\s+from\s+(?:only\s+)?${NAME}\s*` +
  String.raw`(?:;|$|(?:(?:as\s+)?\w+\s+)?(?:where|using|returning)\b)`,
  String.raw`merge\s+into\s+${NAME}[\s\S]*\busing\b`,
  String.raw`with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\)\s*)?as\s+(?:(?:not\s+)?materialized\s+)?\(`,
  String.raw`(?:create|alter|drop)\s+(?:or\s+replace\s+)?` +
  String.raw`(?:(?:temp|temporary|unlogged|unique|materialized|foreign|event)\s+)*${OBJECT}\s+` +
  String.raw`(?:concurrently\s+)?(?:if\s+(?:not\s+)?exists\s+)?${NAME}${DEFINITION}`,
  String.raw`create\s+(?:unique\s+)?index\s+on\s+${NAME}\s*\(`,
  String.raw`alter\s+default\s+privileges\b`,
  String.raw`truncate\s+(?:table\s+${NAME}|${NAME}\s*(?:[;,]|(?:restart|cascade)\b))`,
  String
    .raw`(?:grant|revoke)\s+(?:all|select|insert|update|delete|truncate|references|trigger|usage|` +
  String.raw`create|connect|temporary|execute)\b[\s\S]*?\bon\s[\s\S]*?\b(?:to|from)\s+${NAME}`,
  String.raw`(?:grant|revoke)\s+\w*_\w*\s+(?:to|from)\s+${NAME}${END}`,
  String
    .raw`(?:begin|start|commit|rollback)\s+(?:transaction|work)(?:${END}|\s+(?:isolation|read)\b)`,
  String.raw`(?:begin|commit|rollback)\s*;`,
  String.raw`begin\s+(?:isolation\s+level|read\s+(?:only|write))\b`,
  String.raw`rollback\s+to\s+(?:savepoint\s+)?${NAME}${END}`,
  String.raw`savepoint\s+${NAME}${END}`,
  String.raw`set\s+(?:local|session)\s+[\w.]+\s*(?:=|to\b)`,
  String.raw`set\s+(?:transaction\s+(?:isolation|read)|role\s+${NAME}${END}|time\s+zone\b)`,
  String.raw`lock\s+(?:table\s+${NAME}|${NAME}\s+in\s[\w\s]+\smode\b)`,
  String.raw`copy\s[\s\S]*?\b(?:from|to)\s+(?:stdin|stdout|program\b|')`,
  String.raw`call\s+${NAME}\s*\([^)]*(?:\$\d|\)\s*;)`,
  String.raw`comment\s+on\s+(?:column|${OBJECT})\s+${NAME}\s+is\b`,
  String.raw`do\s+\$\w*\$`,
  String.raw`refresh\s+materialized\s+view\b`,
].map((statement) => new RegExp(FRONT + statement, "i"));

/** Too short or too English for either case to pass: here upper and lower case tell. */
const CASED = [
  String.raw`(?:BEGIN|COMMIT|ROLLBACK)${END}`,
  String.raw`(?:TRUNCATE|CALL)\s+${NAME}(?:\s*\(|${END})`,
  // Settings of Postgres are in lower case, ours in capitals: "set LOG_LEVEL to debug" is advice.
  String.raw`(?:SET|set)\s+[a-z]+[_.][a-z_.]+\s*(?:=|TO\b|to\b)`,
].map((statement) => new RegExp(FRONT + statement));

/** SQL is in capitals or without; a first word such as `Select` begins a sentence for people. */
const SENTENCE = new RegExp(`${FRONT}[A-Z][a-z]`);

function looksLikeSql(text: string): boolean {
  if (!VERB.test(text) || SENTENCE.test(text)) return false;
  return [...STATEMENTS, ...CASED].some((statement) => statement.test(text));
}
