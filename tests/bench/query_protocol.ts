import type { Post } from "../support/queue_server.ts";

/** Calls of the older protocol that the Python way makes. */
const KNOWN: readonly string[] = ["ReceiveMessage", "DeleteMessage"];

interface Answer {
  readonly Messages?: readonly {
    readonly MessageId: string;
    readonly ReceiptHandle: string;
    readonly MD5OfBody: string;
    readonly Body: string;
    readonly Attributes?: Readonly<Record<string, string>>;
  }[];
}

/**
 * Answers SQS's older protocol (forms in, XML out) by the emulator, which knows JSON alone: the boto3 of
 * Debian 12 writes no other. A client that writes JSON is passed on as it is.
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

/** `MaxNumberOfMessages=10` becomes a number, `AttributeName.1=…` a list. */
function inputOf(form: URLSearchParams): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const names: string[] = [];
  for (const [key, value] of form) {
    if (key.startsWith("AttributeName.")) names.push(value);
    else if (key !== "Action" && key !== "Version") {
      input[key] = /^\d+$/.test(value) ? Number(value) : value;
    }
  }
  return names.length > 0 ? { ...input, AttributeNames: names } : input;
}

function toXml(action: string, { Messages = [] }: Answer): string {
  const messages = Messages.map((message) => {
    const { MessageId, ReceiptHandle, MD5OfBody, Body, Attributes = {} } = message;
    const attributes = Object.entries(Attributes).map(([Name, Value]) =>
      element("Attribute", element("Name", escape(Name)) + element("Value", escape(Value)))
    );
    const plain = Object.entries({ MessageId, ReceiptHandle, MD5OfBody, Body })
      .map(([name, value]) => element(name, escape(value)));
    return element("Message", plain.join("") + attributes.join(""));
  });
  const result = element(`${action}Result`, messages.join(""));
  const metadata = element("ResponseMetadata", element("RequestId", "0"));
  return element(`${action}Response`, result + metadata);
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
