import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { asFault } from "../../../base/fault.ts";
import { fetchSnapshot } from "../../../onvif/client/snapshot.ts";
import { CREDENTIALS, NETWORK, side } from "../../sim/fixture.ts";

const ADDRESS = `${NETWORK}.78`;
const JPEG = Buffer.from("ffd8ffe000104a46494600010100000100010000ffd9", "hex");

/** What a camera answers, and what comes of it: a kind of Fault, or the picture. */
const ANSWERS: Readonly<Record<string, readonly [answer: RequestListener, comes: string]>> = {
  "a picture": [(_, response) => void response.end(JPEG), JPEG.toString("hex")],
  "a picture with rubbish behind it": [
    (_, response) => void response.end(Buffer.concat([JPEG, Buffer.from("padding")])),
    JPEG.toString("hex"),
  ],
  "a page": [(_, response) => void response.end("<html>no</html>"), "invalid"],
  "half a picture": [(_, response) => void response.end(JPEG.subarray(0, -2)), "invalid"],
  nothing: [(_, response) => void response.end(), "invalid"],
  "more than any picture": [
    (_, response) => void response.writeHead(200, { "Content-Length": 2 ** 40 }).end(JPEG),
    "invalid",
  ],
  "a redirect to another host": [
    (_, response) => void response.writeHead(302, { Location: "http://192.0.2.1/" }).end(),
    "unavailable",
  ],
  "a refusal without end": [
    (_, response) =>
      void response.writeHead(401, { "WWW-Authenticate": `Digest realm="x", nonce="${Math.random()}"` }).end(),
    "unauthenticated",
  ],
  "a wish for a password in clear text": [
    (_, response) => void response.writeHead(401, { "WWW-Authenticate": 'Basic realm="x"' }).end(),
    "unauthenticated",
  ],
};

describe("a snapshot of a camera that answers with", () => {
  let server: Server;
  let answer: RequestListener;
  let asked: (string | undefined)[];

  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.headers.authorization?.split(" ", 1)[0]);
      answer(request, response);
    });
    server.listen(0, ADDRESS);
    await once(server, "listening");
  });
  after(() => server.close());

  for (const [name, [given, comes]] of Object.entries(ANSWERS))
    it(name, async () => {
      answer = given;
      asked = [];
      const url = new URL(`http://${ADDRESS}:${(server.address() as AddressInfo).port}/snap.jpg`);
      const outcome = await fetchSnapshot({ url, credentials: CREDENTIALS, side, clock: systemClock }).then(
        (jpeg) => jpeg.toString("hex"),
        (error: unknown) => asFault(error).kind,
      );
      expect(outcome).to.equal(comes);
      // Never in clear text, and never so often that the camera locks the account.
      expect(asked).not.to.include("Basic");
      expect(asked.filter((scheme) => scheme === "Digest").length).to.be.lessThan(3);
    });
});
