// Collections over one long-lived call: a request, an answer, a request, … A call that fails or is late is
// given up, so that a late answer is never taken for that to a later request; the next request opens another.

import { type Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { asBuffer, callError } from './call-error.ts';

const PATH = '/outpost.plugin.v1.Plugin/CollectStream';

type Call = ClientDuplexStream<Uint8Array, Uint8Array>;

interface Question {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: OutpostError) => void;
}

/** One question at a time. */
export class CollectStream {
  readonly #client: Client;
  readonly #clock: Clock;
  #call: Call | null = null;
  #question: Question | null = null;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Sends an encoded request; resolves with the encoded answer, rejects after `deadlineMs` without one. */
  ask(request: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    this.#call ??= this.#open();
    const call = this.#call;
    return new Promise<Uint8Array>((resolve, reject) => {
      const cancel = this.#clock.after(deadlineMs, () => {
        this.#end(call, new OutpostError('timeout', `call ${PATH}: no answer in ${deadlineMs} ms`));
      });
      this.#question = {
        resolve: answer => {
          cancel();
          resolve(answer);
        },
        reject: error => {
          cancel();
          reject(error);
        },
      };
      call.write(request);
    });
  }

  /** Gives the call up, and the question with it. */
  close(): void {
    if (this.#call !== null) {
      this.#end(this.#call, new OutpostError('canceled', `call ${PATH}: the connection is closed`));
    }
  }

  #open(): Call {
    const call: Call = this.#client.makeBidiStreamRequest(
      PATH,
      asBuffer,
      (bytes: Buffer): Uint8Array => bytes,
      new Metadata(),
      {},
    );
    call.on('data', (answer: Uint8Array) => {
      const question = this.#question;
      this.#question = null;
      // An answer to no question: the plugin cannot be trusted with the order.
      if (question === null || call !== this.#call) this.#end(call, outOfTurn());
      else question.resolve(answer);
    });
    call.on('error', (error: ServiceError) => this.#end(call, callError(PATH, error)));
    call.on('end', () => {
      this.#end(call, new OutpostError('unavailable', `call ${PATH}: the plugin ended it`));
    });
    return call;
  }

  #end(call: Call, error: OutpostError): void {
    if (call !== this.#call) return;
    this.#call = null;
    call.cancel();
    this.#question?.reject(error);
    this.#question = null;
  }
}

function outOfTurn(): OutpostError {
  return new OutpostError('corrupt', `call ${PATH}: an answer that nobody asked for`);
}
