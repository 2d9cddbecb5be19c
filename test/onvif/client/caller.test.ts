import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { asFault } from "../../../base/fault.ts";
import { Caller } from "../../../onvif/client/caller.ts";
import { CREDENTIALS, NETWORK, side } from "../../sim/fixture.ts";

const ADDRESS = `${NETWORK}.79`;

describe("a conversation with a camera that cuts off every other request", () => {
  let server: Server;
  let proofs = 0;
  let refusals = 0;

  before(async () => {
    let count = 0;
    server = createServer((request, response) => {
      count += 1;
      if (request.headers.authorization !== undefined) proofs += 1;
      if (count % 2 === 1) {
        (request.socket as { resetAndDestroy?: () => void }).resetAndDestroy?.();
        return;
      }
      if (request.headers.authorization !== undefined) refusals += 1;
      response.writeHead(401, { "WWW-Authenticate": `Digest realm="x", qop="auth", nonce="${count}"` }).end();
    });
    server.listen(0, ADDRESS);
    await once(server, "listening");
  });
  after(() => server.close());

  it("is over when the log-in was refused: cameras lock accounts after a few", async () => {
    const { port } = server.address() as AddressInfo;
    const caller = new Caller({ credentials: CREDENTIALS, side, clock: systemClock });
    const url = new URL(`http://${ADDRESS}:${port}/onvif/device_service`);
    const kind = await caller.call({ url, prefix: "tds", operation: "GetUsers" }).then(
      () => "none",
      (error: unknown) => asFault(error).kind,
    );
    expect([kind, refusals]).to.deep.equal(["unauthenticated", 1]);
    expect(proofs).to.equal(2);
  });
});
