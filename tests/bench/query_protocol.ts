import type { Post } from "../support/queue_server.ts";

/** The calls of the older protocol that the Python program and a worker make. */
const KNOWN: readonly string[] = [
  "ReceiveMessage",
  "DeleteMessage",
  "DeleteMessageBatch",
  "ChangeMessageVisibilityBatch",
];

interface Answer {
  readonly Messages?: readonly {
    readonly MessageId: string;
    readonly ReceiptHandle: string;
    readonly MD5OfBody: string;
    readonly Body: string;
    readonly Attributes?: Readonly<Record<string, string>>;
  }[];
  readonly Successful?: readonly { readonly Id: string }[];
  readonly Failed?: readonly { readonly Id: string; readonly Code: string }[];
}

/**
 * Answers SQS's older protocol (forms in, XML out) with the emulator, which supports only JSON. The boto3
 * of Debian 12 supports only the older protocol. JSON requests are passed on unchanged.
 */
export async function answerQuery(request: Request, post: Post): Promise<[string, Response]> {
  const target = request.headers.get("x-amz-target");
  const text = await request.text();
  if (target !== null) {
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": target };
    const { status, body } = await post(headers, text);
    return [
      target.split(".")[1] ?? "",
      new Response(body, { status, headers: { "content-type": headers["content-type"] } }),
    ];
  }
  const form = new URLSearchParams(text);
  const action = form.get("Action") ?? "";
  if (!KNOWN.includes(action)) return [action, new Response("Unknown action", { status: 400 })];
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": `AmazonSQS.${action}`,
  };
  const { status, body } = await post(headers, JSON.stringify(inputOf(form)));
  if (status !== 200) return [action, new Response(body, { status })];
  const xml = toXml(action, JSON.parse(body || "{}") as Answer);
  return [action, new Response(xml, { headers: { "content-type": "text/xml" } })];
}

/**
 * Converts a form into JSON input: `MaxNumberOfMessages=10` becomes a number, `AttributeName.1=…` a list, and
 * `DeleteMessageBatchRequestEntry.1.Id=…` a field of an entry.
 */
function inputOf(form: URLSearchParams): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const names: string[] = [];
  const entries: Record<string, unknown>[] = [];
  for (const [key, text] of form) {
    const [name = "", place, field] = key.split(".");
    const value = /^\d+$/.test(text) && field !== "Id" ? Number(text) : text;
    if (name.endsWith("AttributeName")) names.push(text);
    else if (field !== undefined) (entries[Number(place) - 1] ??= {})[field] = value;
    else if (name !== "Action" && name !== "Version") input[name] = value;
  }
  return {
    ...input,
    ...(names.length > 0 ? { AttributeNames: names } : {}),
    ...(entries.length > 0 ? { Entries: entries } : {}),
  };
}

function toXml(action: string, { Messages = [], Successful = [], Failed = [] }: Answer): string {
  const messages = Messages.map((message) => {
    const { MessageId, ReceiptHandle, MD5OfBody, Body, Attributes = {} } = message;
    const attributes = Object.entries(Attributes).map(([Name, Value]) =>
      element("Attribute", element("Name", escape(Name)) + element("Value", escape(Value)))
    );
    const plain = Object.entries({ MessageId, ReceiptHandle, MD5OfBody, Body })
      .map(([name, value]) => element(name, escape(value)));
    return element("Message", plain.join("") + attributes.join(""));
  });
  const entries = [
    ...Successful.map(({ Id }) => element(`${action}ResultEntry`, element("Id", Id))),
    ...Failed.map(({ Id, Code }) =>
      element("BatchResultErrorEntry", element("Id", Id) + element("Code", escape(Code)))
    ),
  ];
  const result = element(`${action}Result`, [...messages, ...entries].join(""));
  const metadata = element("ResponseMetadata", element("RequestId", "0"));
  return element(`${action}Response`, result + metadata);
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
