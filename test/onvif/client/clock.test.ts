import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { type Millis, SECOND } from "../../../base/units.ts";
import { Caller } from "../../../onvif/client/caller.ts";
import { readClock, readClockWell } from "../../../onvif/client/clock.ts";
import { NETWORK, side } from "../../sim/fixture.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const ADDRESS = `${NETWORK}.80`;

describe("the clock of a camera that answers late", () => {
  let clock: VirtualClock;
  let server: Server;
  /** How late it answers each time; at once behind that. */
  let late: readonly Millis[];
  let asked: number;

  beforeEach(async () => {
    clock = new VirtualClock();
    asked = 0;
    const answer = async (response: ServerResponse): Promise<void> => {
      const byMs = late[asked] ?? 0;
      asked += 1;
      await clock.advance(byMs);
      const now = new Date(clock.now());
      const time = `<Hour>${now.getUTCHours()}</Hour><Minute>${now.getUTCMinutes()}</Minute><Second>${now.getUTCSeconds()}</Second>`;
      const date = `<Year>${now.getUTCFullYear()}</Year><Month>${now.getUTCMonth() + 1}</Month><Day>${now.getUTCDate()}</Day>`;
      response.setHeader("Content-Type", "application/soap+xml");
      response.end(
        `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><GetSystemDateAndTimeResponse xmlns="http://www.onvif.org/ver10/device/wsdl"><SystemDateAndTime><UTCDateTime><Time>${time}</Time><Date>${date}</Date></UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse></e:Body></e:Envelope>`,
      );
    };
    server = createServer((_request, response) => void answer(response));
    server.listen(0, ADDRESS);
    await once(server, "listening");
  });
  afterEach(() => server.close());

  const read = (how: typeof readClock): Promise<Millis | undefined> => {
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://${ADDRESS}:${port}/onvif/device_service`);
    return how(new Caller({ side, clock }), { url, prefix: "tds", operation: "GetSystemDateAndTime" });
  };

  it("is as it was told at first where nothing is answered any more", async () => {
    late = [3 * SECOND];
    server.on("connection", (socket) => {
      if (asked === 1) socket.destroy();
    });
    expect(await read(readClockWell)).to.equal(2 * SECOND);
  });

  // Whole seconds are told, and taken for the middle of one.
  for (const [what, delays, how, offsetMs, count] of [
    ["is read by the first answer for a log-in", [3 * SECOND], readClock, 2 * SECOND, 1],
    ["is asked for again where footage is dated by it", [3 * SECOND], readClockWell, SECOND / 2, 2],
    ["is not where that came within a second", [SECOND], readClockWell, SECOND, 1],
    ["is taken from the quickest of three", [4 * SECOND, 2 * SECOND, 6 * SECOND], readClockWell, 1.5 * SECOND, 3],
  ] as const)
    it(what, async () => {
      late = delays;
      expect([await read(how), asked]).to.deep.equal([offsetMs, count]);
    });
});
