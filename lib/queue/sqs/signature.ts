import { createHmac, hash } from "node:crypto";
import { HmacSha256 } from "../../base/hmac.ts";

/** What a signature proves to know. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Options of {@linkcode RequestSigner}: all that stays the same from request to request. */
export interface RequestSignerOptions {
  readonly credentials: SigningCredentials;
  readonly region: string;
  readonly service: string;
  readonly method: string;
  /** In canonical form; there is no query. */
  readonly path: string;
  /** The headers to sign, beside `x-amz-date` and the session token: lower-case names, trimmed values. */
  readonly headers: Readonly<Record<string, string>>;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * Signature Version 4 of requests that differ in time and body only
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). The rest
 * of the canonical request is written once, the key is derived once a day, and a request like the last
 * one, within the same second, keeps its signature: that is every receive of a busy worker.
 */
export class RequestSigner {
  readonly #options: RequestSignerOptions;
  readonly #beforeTime: string;
  readonly #afterTime: string;
  readonly #signedHeaders: string;
  #day = "";
  /** What follows the time in the string to sign. */
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
    // No header can hold it: it marks where the time goes.
    const [before = "", after = ""] = canonical.split("\0");
    this.#beforeTime = before;
    this.#afterTime = after;
  }

  /**
   * The `authorization` header of a request.
   *
   * @param time as in `x-amz-date`: 20150830T123600Z
   */
  sign(time: string, body: string): string {
    const last = this.#last;
    if (last.time === time && last.body === body) return last.authorization;
    const key = this.#keyOf(time.slice(0, 8));
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

  #keyOf(day: string): HmacSha256 {
    if (this.#key && this.#day === day) return this.#key;
    const { credentials: { accessKeyId, secretAccessKey }, region, service } = this.#options;
    this.#day = day;
    this.#scope = `${day}/${region}/${service}/aws4_request`;
    this.#front = `${ALGORITHM} Credential=${accessKeyId}/${this.#scope}, ` +
      `SignedHeaders=${this.#signedHeaders}, Signature=`;
    const ofRegion = hmac(hmac(`AWS4${secretAccessKey}`, day), region);
    return this.#key = new HmacSha256(hmac(hmac(ofRegion, service), "aws4_request"));
  }
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
