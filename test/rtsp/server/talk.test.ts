import { expect } from "chai";
import { Fault } from "../../../base/fault.ts";
import { openPortPair, type PortPair } from "../../../net/udp.ts";
import { CARRIERS, type Client, groupOf, type Reply, Stage } from "./stage.ts";

const REQUIRE = "Require: www.onvif.org/ver20/backchannel";

for (const carrier of CARRIERS)
  describe(`talking over ${carrier}`, () => {
    let stage: Stage;
    let client: Client;
    let ports: PortPair | undefined;

    beforeEach(async () => {
      stage = new Stage({ udp: true });
      await stage.start();
      stage.hub.publish(groupOf(10));
      client = await stage.client(carrier);
      ports = carrier === "UDP" ? await openPortPair("127.0.0.1") : undefined;
    });
    afterEach(async () => {
      ports?.close();
      client.socket.destroy();
      await stage.close();
      expect(stage.talking, "the speaker is free again").to.equal(false);
      expect(stage.clock.pending, "timers").to.equal(0);
    });

    const setUpTalk = async (one = client, account = "vms"): Promise<Reply> => {
      const transport =
        ports === undefined
          ? "RTP/AVP/TCP;unicast;interleaved=6-7"
          : `RTP/AVP;unicast;client_port=${ports.ports.join("-")}`;
      const reply = await one.ask("SETUP", "/live/gate/track2", [REQUIRE, `Transport: ${transport}`], account);
      one.session ??= reply.header("session")?.split(";")[0];
      one.transport = reply.header("transport");
      return reply;
    };
    /** By the way that was set up. */
    const say = async (text: string): Promise<void> => {
      const packet = Buffer.from(text, "latin1");
      const port = Number(/server_port=(\d+)/.exec(client.transport ?? "")?.[1]);
      if (ports === undefined) client.write(Buffer.concat([Buffer.from([0x24, 6, 0, packet.length]), packet]));
      else await new Promise((resolve) => ports?.rtp.send(packet, port, "127.0.0.1", resolve));
    };
    const heard = async (count: number): Promise<readonly string[]> => {
      while (stage.said.length < count) await new Promise((resolve) => setImmediate(resolve));
      return stage.said.map(String);
    };

    it("is offered behind the tracks that are sent, and heard between PLAY and PAUSE alone", async () => {
      const { body } = await client.ask("DESCRIBE", "/live/gate", [REQUIRE]);
      expect(body).to.match(/m=audio 0 RTP\/AVP 8\r\na=rtpmap:8 PCMA\/8000\r\na=control:track2\r\na=sendonly\r\n$/);
      expect((await setUpTalk()).status).to.equal(200);
      await say("too early");
      await client.ask("OPTIONS", "*");
      expect((await client.ask("PLAY", "/live/gate", [REQUIRE])).status).to.equal(200);
      await say("one");
      await say("two");
      expect(await heard(2)).to.deep.equal(["one", "two"]);
      expect((await client.ask("PAUSE", "/live/gate")).status).to.equal(200);
      await say("meanwhile");
      await client.ask("OPTIONS", "*");
      await client.ask("PLAY", "/live/gate", [REQUIRE]);
      await say("three");
      expect(await heard(3)).to.deep.equal(["one", "two", "three"]);
      expect((await client.ask("TEARDOWN", "/live/gate", [REQUIRE])).status).to.equal(200);
    });

    it("tells the talker what has come of it: at the first packet, and every 5 s while it talks", async () => {
      const reports: Buffer[] = [];
      ports?.rtcp.on("message", (packet) => reports.push(packet));
      const told = async (count: number): Promise<readonly Buffer[]> => {
        for (;;) {
          const inside = client.packets.filter(({ channel }) => channel === 7).map(({ packet }) => packet);
          const all = ports === undefined ? inside : reports;
          if (all.length >= count) return all;
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const rtp = (sequence: number): string => {
        const packet = Buffer.alloc(14, 0x41);
        packet.writeUInt16BE(0x4008, 0);
        packet.writeUInt16BE(sequence, 2);
        return packet.toString("latin1");
      };
      await setUpTalk();
      await client.ask("PLAY", "/live/gate", [REQUIRE]);
      await say(rtp(1000));
      expect(await told(1)).to.have.length(1);
      await say(rtp(1001));
      await heard(2);
      await stage.clock.advance(5000);
      // One was lost on the way.
      await say(rtp(1003));
      const [first, second] = await told(2);
      expect(await told(2)).to.have.length(2);
      const block = (report: Buffer | undefined): readonly unknown[] => [
        report?.[1],
        report?.readUInt32BE(8),
        report?.readUIntBE(13, 3),
        report?.readUInt32BE(16),
      ];
      expect(block(first)).to.deep.equal([201, 0x41414141, 0, 1000]);
      expect(block(second)).to.deep.equal([201, 0x41414141, 1, 1003]);
      await client.ask("TEARDOWN", "/live/gate", [REQUIRE]);
    });

    it("ends alone where it is torn down alone, and the picture goes on", async () => {
      await setUpTalk();
      expect((await client.play("/live/gate", { headers: [REQUIRE] })).status).to.equal(200);
      expect(stage.talking).to.equal(true);
      expect((await client.ask("TEARDOWN", "/live/gate/track2")).status).to.equal(200);
      expect(stage.talking).to.equal(false);
      stage.hub.publish(groupOf(11));
      await client.until(() => client.numbers().includes(11));
    });

    it("goes with the picture in one session", async () => {
      if (ports === undefined) await setUpTalk();
      expect((await client.play("/live/gate", { headers: [REQUIRE] })).status).to.equal(200);
      await client.until(() => client.numbers().includes(10));
      if (ports !== undefined) return;
      await say("hello");
      expect(await heard(1)).to.deep.equal(["hello"]);
    });

    it("is one session's at a time", async () => {
      const other = await stage.client();
      await setUpTalk();
      const refused = await setUpTalk(other);
      expect([refused.status, refused.body]).to.deep.equal([453, "somebody else talks\n"]);
      client.socket.destroy();
      while (stage.talking) await new Promise((resolve) => setImmediate(resolve));
      expect((await setUpTalk(other)).status).to.equal(200);
      other.socket.destroy();
      while (stage.talking) await new Promise((resolve) => setImmediate(resolve));
    });

    it("is refused to who may not, in the description and in SETUP", async () => {
      expect((await client.ask("DESCRIBE", "/live/gate", [REQUIRE], "mute")).body).not.to.include("sendonly");
      expect((await setUpTalk(client, "mute")).status).to.equal(404);
    });

    it("is told when the camera refuses it, and ends with it", async () => {
      stage.listen = () => Promise.reject(new Fault("unavailable", "no", { tell: "the camera does not listen" }));
      await setUpTalk();
      const { status, body } = await client.ask("PLAY", "/live/gate", [REQUIRE]);
      expect([status, body]).to.deep.equal([503, "the camera does not listen\n"]);
      stage.listen = () => Promise.resolve();
      expect((await client.ask("PLAY", "/live/gate", [REQUIRE])).status).to.equal(200);
      stage.endTalk(new Fault("unavailable", "the camera hung up"));
      await client.until(() => client.closed);
    });

    it("ends with the right", async () => {
      await setUpTalk();
      await client.ask("PLAY", "/live/gate", [REQUIRE]);
      stage.revoked.get("vms")?.abort();
      await client.until(() => client.closed);
    });

    it("keeps the speaker from nobody when the right ends before PLAY", async () => {
      await client.ask("DESCRIBE", "/live/gate", [REQUIRE]);
      await setUpTalk();
      expect(stage.talking).to.equal(true);
      stage.revoked.get("vms")?.abort();
      expect(stage.talking).to.equal(false);
      await client.until(() => client.closed);
    });
  });

describe("what a client may require", () => {
  const rows: readonly (readonly [method: string, path: string, tag: string, status: number])[] = [
    ["DESCRIBE", "/live/gate", "www.onvif.org/ver20/backchannel", 200],
    ["DESCRIBE", "/live/gate", "onvif-replay", 551],
    ["DESCRIBE", "/recorded/gate", "www.onvif.org/ver20/backchannel", 551],
    ["SETUP", "/recorded/gate/track0", "www.onvif.org/ver20/backchannel", 551],
    ["DESCRIBE", "/recorded/gate", "onvif-replay", 200],
    ["DESCRIBE", "/live/gate", "www.onvif.org/ver20/backchannel, www.onvif.org/ver30/smell", 551],
    ["OPTIONS", "*", "www.onvif.org/ver30/smell", 551],
    ["PLAY", "/live/gate", "www.onvif.org/ver30/smell", 551],
    ["TEARDOWN", "/live/gate", "www.onvif.org/ver30/smell", 551],
  ];
  for (const [method, path, tag, status] of rows)
    it(`${tag} at ${method} of ${path} is answered with ${status}`, async () => {
      const stage = new Stage();
      await stage.start();
      const client = await stage.client();
      const transport = method === "SETUP" ? ["Transport: RTP/AVP/TCP"] : [];
      const reply = await client.ask(method, path, [`Require: ${tag}`, ...transport]);
      expect(reply.status).to.equal(status);
      if (status === 551) expect(reply.header("unsupported")).to.equal(tag.split(", ").at(-1));
      client.socket.destroy();
      await stage.close();
    });
});
