import { createHmac, hash } from "node:crypto";
import { HmacSha256 } from "../../base/hmac.ts";

/** The credentials that sign requests. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Options of {@linkcode RequestSigner}: the parts that all requests share. */
export interface RequestSignerOptions {
  readonly credentials: SigningCredentials;
  readonly region: string;
  readonly service: string;
  readonly method: string;
  /** In canonical form, without a query. */
  readonly path: string;
  /** The headers to sign besides `x-amz-date` and the session token: lower-case names, trimmed values. */
  readonly headers: Readonly<Record<string, string>>;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * Signs requests that differ only in time and body, by Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). The rest
 * of the canonical request is built once, and the key is derived once a day. A request that equals the
 * last one within the same second reuses its signature, as the receives of a busy worker do.
 */
export class RequestSigner {
  readonly #options: RequestSignerOptions;
  readonly #beforeTime: string;
  readonly #afterTime: string;
  readonly #signedHeaders: string;
  #day = "";
  /** The part after the time in the string to sign. */
  #scope = "";
  #front = "";
  #key: HmacSha256 | undefined;
  #last = { time: "", body: "", authorization: "" };

  constructor(options: RequestSignerOptions) {
    this.#options = options;
    const { credentials: { sessionToken }, method, path, headers } = options;
    const lines = new Map(Object.entries(headers)).set("x-amz-date", "\0");
    if (sessionToken !== undefined) lines.set("x-amz-security-token", sessionToken);
    const names = [...lines.keys()].sort();
    this.#signedHeaders = names.join(";");
    const canonical = `${method}\n${path}\n\n` +
      `${names.map((name) => `${name}:${lines.get(name)}\n`).join("")}\n${this.#signedHeaders}\n`;
    // NUL marks the place of the time, because no header can contain it.
    const [before = "", after = ""] = canonical.split("\0");
    this.#beforeTime = before;
    this.#afterTime = after;
  }

  /**
   * Returns the `authorization` header of a request.
   *
   * @param time in the form of `x-amz-date`: 20150830T123600Z
   */
  sign(time: string, body: string): string {
    const last = this.#last;
    if (last.time === time && last.body === body) return last.authorization;
    const key = this.#deriveKey(time.slice(0, 8));
    const request = hash(
      "sha256",
      this.#beforeTime + time + this.#afterTime + hash("sha256", body, "hex"),
      "hex",
    );
    const signature = key.digest(`${ALGORITHM}\n${time}\n${this.#scope}\n${request}`, "hex");
    const authorization = this.#front + signature;
    this.#last = { time, body, authorization };
    return authorization;
  }

  #deriveKey(day: string): HmacSha256 {
    if (this.#key && this.#day === day) return this.#key;
    const { credentials: { accessKeyId, secretAccessKey }, region, service } = this.#options;
    this.#day = day;
    this.#scope = `${day}/${region}/${service}/aws4_request`;
    this.#front = `${ALGORITHM} Credential=${accessKeyId}/${this.#scope}, ` +
      `SignedHeaders=${this.#signedHeaders}, Signature=`;
    const regionKey = hmac(hmac(`AWS4${secretAccessKey}`, day), region);
    return this.#key = new HmacSha256(hmac(hmac(regionKey, service), "aws4_request"));
  }
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
