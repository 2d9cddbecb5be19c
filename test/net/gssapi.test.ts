import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import type { Gssapi } from "../../net/gssapi.ts";
import { gssapi } from "../support/gssapi.ts";

const NONE = Buffer.alloc(0);
const SERVICE = "HTTP/bridge.site.test@SITE.TEST";

/** A keytab with one key of the service (the file format of MIT, version 2): AES-256, of zeros. */
function keytab(): Buffer {
  const counted = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  };
  const entry = Buffer.concat([
    Buffer.from([0, 2]),
    ...["SITE.TEST", "HTTP", "bridge.site.test"].map(counted),
    Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 18, 0, 32]),
    Buffer.alloc(32),
  ]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(entry.length);
  return Buffer.concat([Buffer.from([5, 2]), length, entry]);
}

describe("the Kerberos library", () => {
  let library: Gssapi;
  let folder: string;
  let file: string;

  before(async function () {
    library = gssapi(this);
    folder = await mkdtemp(join(tmpdir(), "viaduct-keytab-"));
    file = `FILE:${join(folder, "http.keytab")}`;
    await writeFile(join(folder, "http.keytab"), keytab());
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const accept = (token: Buffer, principal = SERVICE, from = file) =>
    library.accept(from, "none:", principal, token, NONE).then(
      () => "well",
      (error: unknown) => (error instanceof Error ? error.message : "no error"),
    );

  it("says whether there is a key of the service", async () => {
    expect(await accept(NONE)).to.equal("well");
    expect(await accept(NONE, "HTTP/other.site.test@SITE.TEST")).to.include("HTTP/other.site.test@SITE.TEST");
    expect(await accept(NONE, SERVICE, `FILE:${join(folder, "none")}`)).to.include("none");
  });

  it("refuses every token that is none, and stays whole", async () => {
    // The beginning of a SPNEGO token that offers Kerberos, so that more than the first byte is looked at.
    const head = Buffer.from("602806062b0601050502a01e301ca00d300b06092a864886f712010202a20b0409", "hex");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean(), async (bytes, begun) => {
        const token = begun ? Buffer.concat([head, bytes]) : Buffer.from(bytes);
        expect(await accept(token)).not.to.equal("well");
      }),
      { numRuns: 200 },
    );
  });

  it("does not take arguments of other kinds, or too long ones", () => {
    const { accept: call } = library as unknown as { accept: (...of: readonly unknown[]) => unknown };
    for (const args of [
      [],
      [file, "none:", SERVICE, NONE],
      [file, "none:", SERVICE, "token", NONE],
      [file, "none:", SERVICE, Buffer.alloc(65_537), NONE],
      [file, "none:", SERVICE, NONE, Buffer.alloc(129)],
      [file, "none:", `${SERVICE}\0`, NONE, NONE],
      ["x".repeat(5000), "none:", SERVICE, NONE, NONE],
      [1, "none:", SERVICE, NONE, NONE],
    ])
      expect(() => call(...args), JSON.stringify(args.map((one) => typeof one))).to.throw(TypeError);
  });
});
