import { expect } from "chai";
import { parseXml } from "../../../wsdl/parse-xml.ts";
import { attributeOf, type XmlElement } from "../../../wsdl/xml.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

describe("our own WSDL, asked for by a stranger", () => {
  let site: OnvifTestSite;

  before(async () => {
    site = await startOnvifSite();
  });
  after(() => site?.close());
  const ask = async (resource: string): Promise<string> => {
    const { status, body } = await site.send({ method: "GET", path: `/onvif/subscription/${resource}?wsdl` });
    expect(status).to.equal(200);
    return body;
  };
  const locations = (element: XmlElement): readonly (string | undefined)[] =>
    element.name === "address" ? [attributeOf(element, "location")] : element.children.flatMap(locations);

  for (const resource of ["any", "$`$'$&$$", '"><y>&lt;&amp;{here}'])
    it(`names the address that was asked for, as it was: ${resource}`, async () => {
      const found = new Set(locations(parseXml(await ask(resource))));
      expect([...found]).to.deep.equal([`http://127.0.0.1:${site.port}/onvif/subscription/${resource}`]);
    });

  it("does not grow with the path by more than its length", async () => {
    const usual = (await ask("any")).length;
    expect((await ask("$`".repeat(4000))).length).to.be.below(usual + 10 * 8000);
  });
});
