import { expect } from "chai";
import { SENDERS, useNative } from "../../support/native.ts";
import { CARRIERS, type Client, groupOf, Stage } from "./stage.ts";

/** Where the native sender is not used, there is one way alone. */
const WAYS = CARRIERS.flatMap((carrier) =>
  SENDERS.filter((sender) => sender === "Node.js alone" || carrier === "TCP" || carrier === "UDP").map(
    (sender) => [carrier, sender] as const,
  ),
);

for (const [carrier, sender] of WAYS)
  describe(`RTSP over ${carrier}, sent by ${sender}`, () => {
    useNative(sender);
    let stage: Stage;
    let client: Client;

    beforeEach(async () => {
      stage = new Stage({ udp: true });
      await stage.start();
      client = await stage.client(carrier);
    });
    afterEach(async () => {
      client.socket.destroy();
      await stage.close();
      expect(stage.clock.pending, "timers").to.equal(0);
      expect(stage.hub.readers, "readers").to.equal(0);
    });

    const publish = (from: number, to: number, bytes = 8): void => {
      for (let number = from; number < to; number += 1) stage.hub.publish(groupOf(number, { bytes }));
    };

    it("plays live, each group once and in order, small ones and large ones", async () => {
      publish(8, 15);
      expect((await client.play("/live/gate")).status).to.equal(200);
      publish(15, 25, 60_000);
      publish(25, 30);
      await client.until(() => client.numbers().includes(29));
      expect(client.numbers()).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 10));
    });

    it("plays what was recorded, and says goodbye", async () => {
      const range = "Range: clock=20260101T000010Z-20260101T000012Z";
      expect((await client.play("/recorded/gate", { headers: [range] })).status).to.equal(200);
      await client.until(() => client.numbers().length >= 11);
      await stage.clock.advance(2000);
      // Over UDP reports come by a socket of their own, before or behind what was sent before them.
      await client.until(() => client.reports().includes(201) && client.numbers().length >= 20);
      expect(client.numbers()).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 100));
    });

    const refused: readonly (readonly [path: string, account: string, status: number])[] = [
      ["/live/gate", "", 401],
      ["/live/gate", "nobody", 401],
      ["/live/secret", "vms", 403],
      ["/live/nothing", "vms", 404],
    ];
    for (const [path, account, status] of refused)
      it(`refuses ${path} to ${account || "strangers"} with ${status}`, async () => {
        expect((await client.ask("DESCRIBE", path, [], account)).status).to.equal(status);
        for (const transport of ["RTP/AVP/TCP", "RTP/AVP;client_port=5000-5001"]) {
          const reply = await client.ask("SETUP", `${path}/track0`, [`Transport: ${transport}`], account);
          expect(reply.status).to.equal(status);
        }
      });

    const requests = { "picture loss": "81ce000200000001000000ff", "full intra": `84ce000400000001${"00".repeat(12)}` };
    for (const [what, hex] of Object.entries(requests))
      it(`hands on a request for a key frame (${what}), and of a flood of them next to nothing`, async () => {
        const asked: number[] = [];
        stage.hub.onKeyRequest(() => void asked.push(Math.round(stage.clock.monotonic())));
        publish(10, 11);
        await client.play("/live/gate");
        const report = Buffer.from("80c9000100000001", "hex");
        await client.report(report);
        for (let count = 0; count < 100; count += 1)
          await client.report(Buffer.concat([report, Buffer.from(hex, "hex")]));
        await client.ask("OPTIONS", "*");
        while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
        expect(asked).to.deep.equal([0]);
        await stage.clock.advance(1000);
        await client.report(Buffer.from(hex, "hex"));
        while (asked.length === 1) await new Promise((resolve) => setImmediate(resolve));
        expect(asked).to.deep.equal([0, 1000]);
      });

    it("ends a running stream at once when the right to watch ends", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      expect(stage.server.sessions("vms")).to.equal(1);
      stage.revoked.get("vms")?.abort();
      await client.until(() => client.closed);
      expect(stage.hub.readers).to.equal(0);
    });

    it("ends the stream of one of those who are sent it together when their right ends, and of nobody else", async () => {
      const other = await stage.client(carrier);
      other.account = "psim";
      for (const one of [client, other]) await one.play("/live/gate");
      publish(10, 14);
      for (const one of [client, other]) await one.until(() => one.numbers().includes(13));
      stage.revoked.get("vms")?.abort();
      expect(stage.hub.readers).to.equal(1);
      publish(14, 18);
      await other.until(() => other.numbers().includes(17));
      await client.until(() => client.closed);
      expect([client.numbers(), other.numbers()]).to.deep.equal([
        [10, 11, 12, 13],
        [10, 11, 12, 13, 14, 15, 16, 17],
      ]);
      other.socket.destroy();
    });

    it("hangs up on who has not logged in within ten seconds, whatever they send meanwhile", async () => {
      await client.ask("OPTIONS", "*", [], "");
      await stage.clock.advance(9000);
      expect((await client.ask("OPTIONS", "*", [], "")).status).to.equal(200);
      await stage.clock.advance(2000);
      await client.until(() => client.closed);
    });

    it("hangs up on broken framing, and says so", async () => {
      client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await client.reply(0)).status).to.equal(400);
      await client.until(() => client.closed);
    });

    it("lets go of the stream when the client hangs up in the middle", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      client.socket.destroy();
      while (stage.hub.readers > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(stage.server.sessions()).to.equal(0);
    });

    it("ends with the server", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      await stage.close();
      await client.until(() => client.closed);
    });

    if (carrier === "TLS")
      it("sends what is encrypted as one in pieces that fill a block of Node.js's", async () => {
        const pieces: number[] = [];
        client.socket.on("data", (bytes: Buffer) => void pieces.push(bytes.length));
        publish(10, 11, 60_000);
        await client.play("/live/gate");
        await client.until(() => client.numbers().includes(10));
        expect(Math.max(...pieces)).to.equal(16 * 1024 - 22);
      });

    if (carrier === "UDP") return;
    it("hangs up on a reader that takes nothing for half a minute", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      client.socket.pause();
      // More than there is room for on the way, some in each turn: what is too much for one is dropped.
      for (let number = 10; number < 400; number += 10) {
        publish(number, number + 10, 64_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await stage.clock.advance(45_000);
      expect(stage.server.sessions()).to.equal(0);
    });
  });
