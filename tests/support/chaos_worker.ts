import { ok, strictEqual } from "node:assert";
import { isBalanced } from "../../lib/pipeline/counters.ts";
import { type MasklineProcess, startMaskline } from "./maskline.ts";
import { lastBooks } from "./progress.ts";
import { type Fault, type SqsProxy, startSqsProxy } from "./sqs_proxy.ts";

/** A call to the queue at which the worker is caught. */
interface Trap {
  readonly action: string;
  /** Whether the queue carries out the call first, and only its answer is held back. */
  readonly done: boolean;
  readonly caught: PromiseWithResolvers<void>;
  readonly over: PromiseWithResolvers<void>;
}

/** Options of {@linkcode ChaosWorker}. */
export interface ChaosWorkerOptions {
  readonly upstream: string;
  readonly env: Readonly<Record<string, string>>;
  readonly fault: Fault;
}

/** Runs one worker after the other, each behind the same proxy to the queue. */
export class ChaosWorker implements AsyncDisposable {
  readonly #proxy: SqsProxy;
  readonly #env: Readonly<Record<string, string>>;
  #worker: MasklineProcess;
  #ended = false;
  #trap: Trap | undefined;

  constructor({ upstream, env, fault }: ChaosWorkerOptions) {
    this.#proxy = startSqsProxy(upstream);
    this.#env = { ...env, AWS_ENDPOINT_URL_SQS: this.#proxy.endpoint };
    this.fault = fault;
    this.#worker = this.#start();
  }

  /** How calls are answered that no trap catches. */
  set fault(fault: Fault) {
    this.#proxy.fault = async (request) => {
      const trap = this.#trap;
      if (!trap || trap.action !== request.action) return await fault(request);
      this.#trap = undefined;
      const response = trap.done ? await request.forward() : undefined;
      // Read here, or it would still arrive when the worker has ended.
      const body = await response?.text();
      trap.caught.resolve();
      await trap.over.promise;
      return response && new Response(body, response);
    };
  }

  /** Waits until the worker makes this call and holds the call back. Returns whether it came in time. */
  async catch(action: string, done: boolean, milliseconds: number): Promise<boolean> {
    const trap: Trap = {
      action,
      done,
      caught: Promise.withResolvers(),
      over: Promise.withResolvers(),
    };
    this.#trap = trap;
    let isCaught = true;
    const timer = setTimeout(() => {
      isCaught = false;
      trap.caught.resolve();
    }, milliseconds);
    await trap.caught.promise;
    clearTimeout(timer);
    if (this.#trap === trap) this.#trap = undefined;
    // The call that waits here continues when the worker has been killed.
    void this.#worker.ended.then(() => trap.over.resolve());
    return isCaught;
  }

  /** Sends a signal. @throws {Error} the worker had ended by itself */
  signal(signal: "SIGKILL" | "SIGTERM"): void {
    if (this.#ended) throw new Error(`A worker ended by itself:\n${this.#worker.err()}`);
    this.#worker.kill(signal);
  }

  /** Waits for the end of a killed worker, and starts the next. */
  async replace(): Promise<void> {
    await this.#worker.ended;
    this.#worker = this.#start();
  }

  /** Stops the worker and fails unless it ends with 0 and balanced books. */
  async stop(): Promise<void> {
    // Before it handles signals it ends like any process, and while it waits for Postgres it has no books.
    const mayFail = !this.#worker.err().includes("Started");
    this.signal("SIGTERM");
    const { code, err } = await this.#worker.ended;
    if (mayFail) return;
    strictEqual(code, 0, err);
    const books = lastBooks(err);
    ok(isBalanced(books) && books.inFlight === 0, JSON.stringify(books));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#worker.kill("SIGKILL");
    await this.#worker.ended;
    await this.#proxy[Symbol.asyncDispose]();
  }

  #start(): MasklineProcess {
    const worker = startMaskline(["run"], { env: this.#env });
    this.#ended = false;
    void worker.ended.then(() => {
      if (worker === this.#worker) this.#ended = true;
    });
    return worker;
  }
}
