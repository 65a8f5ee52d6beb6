import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { parseErrorResponse, parseMessage, saslInitialResponse, saslResponse } from "../../protocol/index.js";
import { clientFinal, clientFirst } from "../../protocol/testing/password-client.js";

/** A client that says what it likes, byte by byte. */
export class Wire implements Disposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #stir = () => undefined as undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const stir = () => this.#stir();
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      stir();
    });
    const end = () => {
      this.#ended = true;
      stir();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  static async to(port: number): Promise<Wire> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new Wire(socket);
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  async bytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= count);
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** null: the other side has hung up. */
  async message(): Promise<{ type: string; body: Buffer } | null> {
    await this.#until(() => parseMessage(this.#received, 100_000) !== null);
    const message = parseMessage(this.#received, 100_000);
    if (message === null) return null;
    this.#received = this.#received.subarray(message.length);
    return { type: String.fromCharCode(message.type), body: Buffer.from(message.body) };
  }

  /** The ErrorResponse that comes next, as `28000 message`, or what came instead. */
  async error(): Promise<string> {
    const message = await this.message();
    if (message?.type !== "E") return message === null ? "closed" : `message ${message.type}`;
    const { sqlstate, message: text } = parseErrorResponse(message.body);
    return `${sqlstate} ${text}`;
  }

  /** Proves the password by SCRAM-SHA-256; the startup packet has been sent. Answers the type of the message that comes
   *  after our proof. */
  async prove(password: string): Promise<string> {
    const client = { password, nonce: "abc" };
    await this.message();
    this.send(saslInitialResponse("SCRAM-SHA-256", clientFirst(client)));
    const challenge = await this.message();
    if (challenge?.type !== "R") return challenge?.type ?? "closed";
    this.send(saslResponse(clientFinal(client, challenge.body.subarray(4)).data));
    return (await this.message())?.type ?? "closed";
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Buffer> {
    await this.#until(() => false);
    return this.#received;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async #until(there: () => boolean): Promise<void> {
    while (!there() && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#stir = () => {
          resolve();
          return undefined;
        };
      });
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
