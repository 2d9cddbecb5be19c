import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { later } from "../../../base/units.ts";
import type { Track } from "../../../media/track.ts";
import { START } from "../../media/receiver-fixture.ts";
import { AUDIO, type Client, groupOf, onStage, type Stage, VIDEO } from "./stage.ts";

const TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";

describe("the RTSP server", () => {
  let stage: Stage;
  let client: Client;

  onStage((made, first) => {
    stage = made;
    client = first;
  });

  const publish = (from: number, to: number, track = 0): void => {
    for (let number = from; number < to; number += 1) stage.hub.publish(groupOf(number, { track }));
  };

  describe("asked for a description", () => {
    it("challenges who shows no credentials, and tells them nothing", async () => {
      const reply = await client.ask("DESCRIBE", "/live/gate", [], "");
      expect(reply.status).to.equal(401);
      expect(reply.header("www-authenticate")).to.equal('Test realm="stage"');
      expect(stage.opened).to.deep.equal([]);
    });

    it("says that a nonce is stale", async () => {
      const reply = await client.ask("DESCRIBE", "/live/gate", [], "stale");
      expect(reply.header("www-authenticate")).to.include("stale=true");
    });

    it("names every track and how to set it up", async () => {
      const reply = await client.ask("DESCRIBE", "/live/gate");
      expect(reply.status).to.equal(200);
      expect(reply.header("content-type")).to.equal("application/sdp");
      expect(reply.header("content-base")).to.match(/^rtsp:\/\/127\.0\.0\.1:\d+\/live\/gate\/$/);
      expect(reply.body).to.include("a=rtpmap:96 H264/90000").and.to.include("a=fmtp:96 packetization-mode=1");
      expect(reply.body).to.include("a=control:track0").and.to.include("a=control:track1");
    });

    it("gives the tracks of a recording the names that ONVIF has for them, and its extent", async () => {
      const { body } = await client.ask("DESCRIBE", "/recorded/gate");
      expect(body).to.include("a=x-onvif-track:VIDEO001");
      expect(body).to.include("a=range:clock=20260101T000000.000Z-20260101T000140.000Z");
    });

    const refused: readonly (readonly [path: string, status: number])[] = [
      ["/live/nothing", 404],
      ["/", 404],
      ["/live/secret", 403],
      ["/live/%zz", 400],
    ];
    for (const [path, status] of refused)
      it(`answers ${path} with ${status}, and goes on`, async () => {
        expect((await client.ask("DESCRIBE", path)).status).to.equal(status);
        expect((await client.ask("DESCRIBE", "/live/gate")).status).to.equal(200);
      });
  });

  describe("asked to play live", () => {
    it("begins with the last key frame, each group once and in order", async () => {
      publish(8, 15);
      const reply = await client.play("/live/gate");
      expect(reply.status).to.equal(200);
      publish(15, 30);
      await client.until(() => client.numbers().includes(29));
      expect(client.numbers()).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 10));
    });

    it("says before the first packet from which instant on, and where each track begins", async () => {
      publish(10, 12);
      publish(11, 12, 1);
      const reply = await client.play("/live/gate", { tracks: 2 });
      expect(reply.header("range")).to.equal("clock=20260101T000001.000Z-");
      expect(reply.header("rtp-info")).to.match(
        /^url=rtsp:\S+\/live\/gate\/track0;seq=10;rtptime=90000,url=rtsp:\S+\/live\/gate\/track1;seq=11;rtptime=99000$/,
      );
      expect(reply.packetsBefore).to.equal(0);
    });

    it("reports how the clocks of each track go together before its first packet", async () => {
      publish(10, 11);
      publish(10, 11, 1);
      await client.play("/live/gate", { tracks: 2 });
      await client.until(() => client.packets.length === 4);
      expect(client.packets.map(({ channel }) => channel)).to.deep.equal([1, 0, 3, 2]);
      expect(client.reports(1)).to.deep.equal([200]);
      await stage.clock.advance(6000);
      publish(11, 12);
      await client.until(() => client.numbers().includes(11));
      expect(client.reports(1)).to.deep.equal([200, 200]);
    });

    it("sends on the channels that the client chose, and only tracks that it set up", async () => {
      publish(10, 11);
      const setUp = await client.ask("SETUP", "/live/gate/track1", ["Transport: RTP/AVP/TCP;unicast;interleaved=7-8"]);
      client.session = setUp.header("session")?.split(";")[0];
      await client.ask("PLAY", "/live/gate");
      publish(11, 14, 1);
      publish(11, 14);
      await client.until(() => client.numbers(7).length === 3);
      expect(new Set(client.packets.map(({ channel }) => channel))).to.deep.equal(new Set([7, 8]));
    });

    it("pauses and goes on", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      expect((await client.ask("PAUSE", "/live/gate")).status).to.equal(200);
      publish(11, 21);
      expect((await client.ask("PLAY", "/live/gate")).status).to.equal(200);
      await client.until(() => client.numbers().includes(20));
      expect(client.numbers()).to.deep.equal([10, 20]);
    });

    it("asks for the right to watch at DESCRIBE and again at PLAY", async () => {
      publish(10, 11);
      await client.ask("DESCRIBE", "/live/gate");
      await client.play("/live/gate");
      expect(stage.opened).to.deep.equal(["vms /live/gate", "vms /live/gate"]);
    });

    it("ends a running stream at once when the right to watch ends", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      expect(stage.server.sessions("vms")).to.equal(1);
      stage.revoked.get("vms")?.abort();
      await client.until(() => client.closed);
      expect(stage.hub.readers).to.equal(0);
    });

    it("hangs up when the camera's tracks become others, for the description is no longer true", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      stage.hub.describe([{ ...groupTrack(), codec: "H265", encoding: "H265" }], [100]);
      await client.until(() => client.closed);
    });

    it("drops what a reader is too slow for up to a key frame, and the others get everything", async () => {
      const deaf = await stage.client();
      publish(10, 11);
      await deaf.play("/live/gate");
      await client.play("/live/gate");
      deaf.socket.pause();
      const big = 64 * 1000;
      for (let number = 11; number < 800; number += 1) {
        stage.hub.publish(groupOf(number, { bytes: big }));
        await client.until(() => client.numbers().includes(number));
      }
      expect(client.numbers()).to.have.length(790);
      deaf.socket.resume();
      await deaf.until(() => deaf.numbers().length > 20);
      // With room again, a key frame is what it goes on with.
      let next = 800;
      while (!deaf.numbers().some((number) => number >= 800)) {
        stage.hub.publish(groupOf(next, { bytes: 8 }));
        next += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      const numbers = deaf.numbers();
      const gaps = numbers.flatMap((number, index) =>
        index > 0 && number !== (numbers[index - 1] ?? 0) + 1 ? [number] : [],
      );
      expect(gaps).to.not.deep.equal([]);
      for (const number of gaps) expect(number % 10, `resumed at ${number}`).to.equal(0);
      deaf.socket.destroy();
    });

    it("hangs up on a reader that takes nothing for half a minute", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      client.socket.pause();
      for (let number = 11; number < 400; number += 1)
        stage.hub.publish(groupOf(number, { bytes: 64_000, key: false }));
      await stage.clock.advance(31_000);
      stage.hub.publish(groupOf(400));
      expect(stage.server.sessions()).to.equal(0);
    });

    it("hangs up on such a reader when the camera is silent, too", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      client.socket.pause();
      for (let number = 11; number < 400; number += 1) stage.hub.publish(groupOf(number, { bytes: 64_000 }));
      await stage.clock.advance(31_000);
      expect(stage.hub.readers).to.equal(0);
    });

    it("hangs up on a client that does not read its answers while it is sent a stream", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      client.socket.pause();
      for (let number = 11; number < 400; number += 1) stage.hub.publish(groupOf(number, { bytes: 64_000 }));
      // So long that few of them arrive at once.
      const padding = `Padding: ${"x".repeat(4000)}`;
      while (stage.hub.readers > 0) {
        client.request("DESCRIBE", "/live/gate", [padding]);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });

  describe("asked to play a recording", () => {
    const instants = "Range: clock=20260101T000010Z-20260101T000012Z";

    it("plays the range from the key frame before it, at the pace of the capture, and says goodbye", async () => {
      const reply = await client.play("/recorded/gate", { headers: [instants] });
      expect(reply.status).to.equal(200);
      expect(reply.header("range")).to.equal("clock=20260101T000010.000Z-20260101T000012.000Z");
      await client.until(() => client.numbers().length >= 11);
      const first = client.packets.find(({ channel }) => channel === 0)?.packet.readUInt16BE(2);
      expect(reply.header("rtp-info")).to.include(`seq=${first};rtptime=900000`);
      expect(client.numbers().at(-1)).to.equal(110);
      await stage.clock.advance(2000);
      await client.until(() => client.reports().includes(201));
      expect(client.numbers()).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 100));
      expect(client.closed).to.equal(false);
    });

    it("says before the first packet where each track begins", async () => {
      const reply = await client.play("/recorded/gate", { tracks: 2, headers: [instants] });
      const told = [...(reply.header("rtp-info") ?? "").matchAll(/track(\d);seq=(\d+);rtptime=(\d+)/g)];
      expect(told.map(([, track]) => track)).to.deep.equal(["0", "1"]);
      await client.until(() => client.numbers(2).length > 0);
      for (const [, track, sequence, rtpTime] of told) {
        const { packet } = client.packets.find(({ channel }) => channel === Number(track) * 2) ?? {};
        expect([packet?.readUInt16BE(2), packet?.readUInt32BE(4)]).to.deep.equal([Number(sequence), Number(rtpTime)]);
      }
    });

    const others: readonly (readonly [what: string, tracks: readonly Track[]])[] = [
      ["another codec", [{ ...VIDEO, codec: "H265", encoding: "H265" }, AUDIO]],
      ["sound alone", [AUDIO]],
      ["another payload type", [{ ...VIDEO, payloadType: 97 }, AUDIO]],
    ];
    for (const [what, tracks] of others)
      it(`refuses a range of which it has described other tracks: there is ${what}`, async () => {
        stage.recordedThen = tracks;
        const reply = await client.play("/recorded/gate", { headers: [instants] });
        expect(reply.status).to.equal(457);
        expect(reply.body).to.include("?at=");
      });

    it("seeks while playing", async () => {
      await client.play("/recorded/gate", { headers: [instants] });
      const reply = await client.ask("PLAY", "/recorded/gate", ["Range: clock=20260101T000050Z-"]);
      expect(reply.status).to.equal(200);
      await client.until(() => client.numbers().includes(505));
      expect(client.numbers().filter((number) => number > 120 && number < 500)).to.deep.equal([]);
    });

    it("goes on after PAUSE where it stopped", async () => {
      await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000010Z-"] });
      await client.until(() => client.numbers().includes(110));
      await client.ask("PAUSE", "/recorded/gate");
      const before = client.packets.length;
      const reply = await client.ask("PLAY", "/recorded/gate");
      expect(reply.header("range")).to.equal("clock=20260101T000011.000Z-");
      await client.until(() => client.packets.length > before + 2);
      const again = client.packets.slice(before).filter(({ channel }) => channel === 0);
      expect(again[0]?.packet.readUInt32BE(12)).to.equal(110);
    });

    it("pauses where it is told to, and goes on from there", async () => {
      await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000010Z-"] });
      await client.until(() => client.numbers().includes(110));
      expect((await client.ask("PAUSE", "/recorded/gate", ["Range: clock=20260101T000013Z"])).status).to.equal(200);
      await stage.clock.advance(20_000);
      // What was sent before the answer has come then.
      await client.ask("OPTIONS", "*");
      expect(client.numbers().at(-1)).to.equal(129);
      expect(client.reports(), "no goodbye").not.to.include(203);
      const before = client.packets.length;
      const reply = await client.ask("PLAY", "/recorded/gate");
      expect(reply.header("range")).to.equal("clock=20260101T000012.000Z-");
      await client.until(() => client.packets.length > before + 2);
      const again = client.packets.slice(before).filter(({ channel }) => channel === 0);
      expect(again[0]?.packet.readUInt32BE(12)).to.equal(120);
    });

    for (const [why, point] of [
      ["has gone by", "clock=20260101T000005Z"],
      ["counts from elsewhere", "npt=15"],
    ] as const)
      it(`refuses a pause point that ${why}, and plays on`, async () => {
        await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000010Z-"] });
        expect((await client.ask("PAUSE", "/recorded/gate", [`Range: ${point}`])).status).to.equal(457);
        await stage.clock.advance(5_000);
        await client.until(() => client.numbers().includes(130));
      });

    it("waits for another request when a long one has ended", async () => {
      await client.play("/recorded/gate", { headers: ["Range: clock=20260101T000010Z-20260101T000135Z"] });
      await stage.clock.advance(90_000);
      await client.until(() => client.reports().includes(201));
      await stage.clock.advance(60_000);
      expect((await client.ask("PLAY", "/recorded/gate", [instants])).status).to.equal(200);
    });

    const refused: readonly (readonly [what: string, range: string, status: number])[] = [
      ["behind the end of what is recorded", "clock=20270101T000000Z-", 457],
      ["backwards", "clock=20260101T000020Z-20260101T000010Z", 457],
      ["that nobody can read", "clock=yesterday-", 400],
      ["in an unknown unit", "smpte=0-", 400],
    ];
    for (const [what, range, status] of refused)
      it(`refuses a range ${what} with ${status}, and plays another`, async () => {
        const reply = await client.play("/recorded/gate", { headers: [`Range: ${range}`] });
        expect(reply.status).to.equal(status);
        expect((await client.ask("PLAY", "/recorded/gate", [instants])).status).to.equal(200);
      });
  });

  describe("asked for what it does not do", () => {
    const refused: readonly (readonly [
      what: string,
      method: string,
      path: string,
      headers: readonly string[],
      status: number,
    ])[] = [
      ["an unknown method", "RECORD", "/live/gate", [], 501],
      ["an option that it does not know", "DESCRIBE", "/live/gate", ["Require: onvif-replay"], 551],
      ["UDP", "SETUP", "/live/gate/track0", ["Transport: RTP/AVP;unicast;client_port=5000-5001"], 461],
      ["SETUP of everything at once", "SETUP", "/live/gate", [TCP], 459],
      ["a track that is not there", "SETUP", "/live/gate/track7", [TCP], 404],
      ["PLAY without a session", "PLAY", "/live/gate", [], 454],
      ["a session of nobody", "PAUSE", "/live/gate", ["Session: 12345678"], 454],
      ["a parameter", "GET_PARAMETER", "/live/gate", ["Content-Type: text/parameters", "Content-Length: 0"], 200],
    ];
    for (const [what, method, path, headers, status] of refused)
      it(`answers ${what} with ${status}, and goes on`, async () => {
        expect((await client.ask(method, path, headers)).status).to.equal(status);
        expect((await client.ask("OPTIONS", "*", [], "")).header("public")).to.include("DESCRIBE");
      });

    it("answers another version of RTSP with 505, and goes on", async () => {
      client.write("OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n");
      expect((await client.reply(0)).status).to.equal(505);
      expect((await client.ask("OPTIONS", "*", [], "")).status).to.equal(200);
    });

    it("refuses PLAY of one track of two", async () => {
      publish(10, 11);
      await client.play("/live/gate", { tracks: 2 });
      expect((await client.ask("PLAY", "/live/gate/track0")).status).to.equal(460);
    });

    it("refuses the session of another connection, and of another account", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      const other = await stage.client();
      other.session = client.session;
      expect((await other.ask("TEARDOWN", "/live/gate")).status).to.equal(454);
      expect((await client.ask("PLAY", "/live/gate", [], "other")).status).to.equal(454);
      other.socket.destroy();
    });
  });

  describe("among clients that do not behave", () => {
    it("answers requests that come all at once in their order", async () => {
      publish(10, 11);
      client.request("OPTIONS", "*", [], "");
      client.request("DESCRIBE", "/live/gate");
      client.request("SETUP", "/live/gate/track0", [TCP]);
      client.request("SETUP", "/live/gate/track1", ["Transport: RTP/AVP/TCP;unicast;interleaved=2-3"]);
      const replies = await Promise.all([0, 1, 2, 3].map((index) => client.reply(index)));
      expect(replies.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
      expect(replies.map((reply) => reply.header("cseq"))).to.deep.equal(["1", "2", "3", "4"]);
      expect(replies[2]?.header("session")).to.equal(replies[3]?.header("session"));
    });

    it("hangs up on more requests than anybody needs", async () => {
      client.write("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".repeat(1000));
      await client.until(() => client.closed);
    });

    it("hangs up on broken framing, and says so", async () => {
      client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await client.reply(0)).status).to.equal(400);
      await client.until(() => client.closed);
    });

    it("passes over reports that were under way when the session ended", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      expect((await client.ask("TEARDOWN", "/live/gate")).status).to.equal(200);
      client.write(Buffer.from([0x24, 1, 0, 8, 0x80, 201, 0, 1, 0, 0, 0, 1]));
      client.session = undefined;
      expect((await client.play("/live/gate")).status).to.equal(200);
    });

    it("asks for the right to watch at SETUP when somebody else has described, or it has ended since", async () => {
      await client.ask("DESCRIBE", "/live/gate");
      await client.ask("SETUP", "/live/gate/track0", [TCP], "other");
      expect(stage.opened).to.deep.equal(["vms /live/gate", "other /live/gate"]);
      const changed = await stage.client();
      await changed.ask("DESCRIBE", "/live/gate");
      stage.revoked.get("vms")?.abort();
      await changed.ask("SETUP", "/live/gate/track0", [TCP]);
      expect(stage.opened).to.deep.equal(["vms /live/gate", "other /live/gate", "vms /live/gate", "vms /live/gate"]);
      changed.socket.destroy();
    });

    it("hangs up on packets before SETUP", async () => {
      client.write(Buffer.from([0x24, 0, 0, 1, 0]));
      await client.until(() => client.closed);
    });

    it("hangs up on guessing", async () => {
      for (let count = 0; count < 9; count += 1)
        expect((await client.ask("DESCRIBE", "/live/gate", [], "nobody")).status).to.equal(401);
      client.request("DESCRIBE", "/live/gate", [], "nobody");
      await client.until(() => client.closed);
    });

    it("looks at no log-in of those that wait when it hangs up", async () => {
      const [asked, decided] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let looked = 0;
      stage.logIn = () => {
        looked += 1;
        asked.resolve();
        return decided.promise;
      };
      client.request("DESCRIBE", "/live/gate");
      await asked.promise;
      const guess = "DESCRIBE rtsp://x/live/gate RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Test nobody\r\n\r\n";
      client.write(guess.repeat(500));
      await client.reply(0);
      decided.resolve();
      await client.until(() => client.closed);
      expect(looked).to.equal(1);
    });

    it("hangs up on who has not logged in within ten seconds, whatever they send meanwhile", async () => {
      await client.ask("OPTIONS", "*", [], "");
      await stage.clock.advance(9000);
      expect((await client.ask("OPTIONS", "*", [], "")).status).to.equal(200);
      await stage.clock.advance(2000);
      await client.until(() => client.closed);
    });

    it("forgets who hangs up while their log-in is looked at", async () => {
      const [asked, decided] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      stage.logIn = () => {
        asked.resolve();
        return decided.promise;
      };
      client.request("DESCRIBE", "/live/gate");
      await asked.promise;
      expect(await stage.connections()).to.equal(1);
      client.socket.destroy();
      while ((await stage.connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
      decided.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      expect(await stage.connections()).to.equal(0);
      expect(stage.opened).to.deep.equal([]);
    });

    it("hangs up on a session that is set up, silent and not playing, and keeps one with signs of life", async () => {
      const quiet = await stage.client();
      await quiet.ask("DESCRIBE", "/live/gate");
      await client.ask("DESCRIBE", "/live/gate");
      for (let count = 0; count < 3; count += 1) {
        await stage.clock.advance(30_000);
        expect((await client.ask("GET_PARAMETER", "/live/gate", [], "")).status).to.equal(200);
      }
      await quiet.until(() => quiet.closed);
      expect(client.closed).to.equal(false);
    });

    it("keeps a session that plays, and one that sends receiver reports", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      await stage.clock.advance(600_000);
      expect((await client.ask("PAUSE", "/live/gate")).status).to.equal(200);
      await stage.clock.advance(60_000);
      client.write(Buffer.from([0x24, 1, 0, 8, 0x80, 201, 0, 1, 0, 0, 0, 1]));
      expect((await client.ask("OPTIONS", "*", [], "")).status).to.equal(200);
      expect(client.closed).to.equal(false);
    });

    it("lets an honest client in among connections that stay half open", async () => {
      const idle = Array.from({ length: 300 }, () => connect(stage.port, "127.0.0.1"));
      for (const socket of idle) socket.on("error", () => undefined);
      await Promise.all(idle.map((socket) => once(socket, "connect")));
      publish(10, 11);
      const honest = await stage.client();
      expect((await honest.play("/live/gate")).status).to.equal(200);
      for (const socket of [honest.socket, ...idle]) socket.destroy();
      await honest.until(() => honest.closed);
    });

    it("lets go of the stream when the client hangs up in the middle", async () => {
      publish(10, 11);
      await client.play("/live/gate");
      client.socket.destroy();
      while (stage.hub.readers > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(stage.server.sessions()).to.equal(0);
    });
  });

  it("describes what is live in the clock of the capture", async () => {
    stage.hub.publish(groupOf(10, { at: later(START, 5) }));
    const reply = await client.play("/live/gate");
    expect(reply.header("range")).to.equal("clock=20260101T000000.005Z-");
  });
});

function groupTrack() {
  return { kind: "video", payloadType: 96, clockRateHz: 90_000, channels: 1, fmtp: "" } as const;
}
