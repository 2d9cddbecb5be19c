import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { asFault, type Fault } from "../../base/fault.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { CameraPicture } from "../../bridge/camera-side/camera-picture.ts";
import { CREDENTIALS, NETWORK, side } from "../sim/fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("a camera's own picture", () => {
  it("is not asked for during ten minutes after the camera has refused the log-in, which it may lock", async () => {
    let logIns = 0;
    const server = createServer((request, response) => {
      if (request.headers.authorization !== undefined) logIns += 1;
      response.writeHead(401, { "WWW-Authenticate": 'Digest realm="c", nonce="n"' }).end();
    });
    server.listen(0, `${NETWORK}.1`);
    await once(server, "listening");
    const url = new URL(`http://${NETWORK}.1:${(server.address() as AddressInfo).port}/picture.jpg`);
    const clock = new VirtualClock();
    const picture = new CameraPicture({ credentials: CREDENTIALS, side, clock }, () => Promise.resolve(url));
    try {
      const fetched = (): Promise<Fault> => picture.get().then(() => expect.fail("a picture"), asFault);
      expect((await fetched()).kind).to.equal("unavailable");
      for (let polls = 0; polls < 100; polls += 1) {
        await clock.advance(2 * SECOND);
        expect((await fetched()).tell).to.equal("the camera refuses the bridge's log-in");
      }
      expect(logIns).to.equal(1);
      await clock.advance(10 * MINUTE);
      await fetched();
      expect(logIns).to.equal(2);
    } finally {
      server.close();
      await once(server, "close");
    }
  });
});
