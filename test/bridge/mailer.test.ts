import { createServer, type Server, type Socket } from "node:net";
import { inspect } from "node:util";
import { expect } from "chai";
import { Secret } from "../../base/secret.ts";
import { SECOND } from "../../base/units.ts";
import { Mailer } from "../../bridge/client-side/mailer.ts";
import { mailSchema } from "../../bridge/mail-settings.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("mail, given to a server that means ill", () => {
  let server: Server;
  let clock: VirtualClock;
  let mailer: Mailer;
  let connected: Promise<Socket>;

  beforeEach(async () => {
    clock = new VirtualClock();
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    connected = new Promise((resolve) =>
      server.once("connection", (socket) => resolve(socket.on("error", () => undefined))),
    );
    const { port } = server.address() as { port: number };
    const settings = mailSchema.parse({ host: "127.0.0.1", port, from: "viaduct@example.org" });
    mailer = new Mailer(settings, [], clock);
  });
  afterEach(() => server.close());

  const troubleOf = (): Promise<string> =>
    mailer.deliver("ada@example.org", "Test", "").then(
      () => "none",
      (error: Error) => error.message,
    );

  it("is given up after a minute, however often the server says something", async () => {
    const trouble = troubleOf();
    const socket = await connected;
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.write("220 mail.example.org\r\n");
    // The client has begun.
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write("250-soon\r\n");
    await clock.advance(59 * SECOND);
    let over = false;
    void trouble.then(() => (over = true));
    expect(over).to.equal(false);
    await clock.advance(1 * SECOND);
    expect(await trouble).to.match(/did not take the mail: it took too long$/);
    await closed;
  });

  it("is given up where an answer has no end", async () => {
    const trouble = troubleOf();
    const socket = await connected;
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.write("2".repeat(9_000));
    expect(await trouble).to.match(/did not take the mail: Server response exceeds maximum allowed size$/);
    await closed;
  });

  it("says nothing of the code where the server repeats it", async () => {
    const { port } = server.address() as { port: number };
    const plain = mailSchema.parse({ host: "127.0.0.1", port, encryption: "none", from: "viaduct@example.org" });
    const trouble = new Mailer(plain, [], clock).send("ada@example.org", new Secret("012345")).then(
      () => expect.fail("it was taken"),
      (error: Error) => error,
    );
    const socket = await connected;
    let heard = "";
    socket.on("data", (bytes) => {
      heard += bytes.toString();
      if (heard.endsWith("\r\n.\r\n")) socket.write(`554 no ${/code for Viaduct is (\d+)/.exec(heard)?.[1]} here\r\n`);
      else if (heard.endsWith("\r\nDATA\r\n")) socket.write("354 go on\r\n");
      // The mail itself may come in several pieces.
      else if (!heard.includes("\r\nDATA\r\n")) socket.write("250 yes\r\n");
    });
    socket.write("220 mail.example.org\r\n");
    const error = await trouble;
    expect(error.message).to.match(/did not take the mail: .*554 no … here$/);
    expect(inspect(error)).not.to.contain("012345");
  });
});
