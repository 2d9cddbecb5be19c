import { expect } from "chai";
import { settingsJsonSchema, settingsSchema } from "../../bridge/settings.ts";

const least = {
  dataFolder: "/tmp/x",
  cameraSide: { interfaces: ["10.1.0.0/24"] },
  clientSide: { addresses: ["10.2.0.5"] },
};

describe("the settings", () => {
  const settings = settingsSchema.parse(least);

  it("open no plain protocol and no discovery by default", () => {
    expect(settings.clientSide.rtsp.enabled).to.equal(false);
    expect(settings.clientSide.onvifHttp.enabled).to.equal(false);
    expect(settings.clientSide.discovery.enabled).to.equal(false);
  });

  it("bind nothing that is not named", () => {
    for (const addresses of [undefined, []])
      expect(settingsSchema.safeParse({ ...least, clientSide: { addresses } }).success).to.equal(false);
    expect(settingsSchema.safeParse({ ...least, cameraSide: { interfaces: [] } }).success).to.equal(false);
  });

  it("have a JSON Schema that describes every field at the top", () => {
    const schema = settingsJsonSchema() as { properties: Record<string, unknown>; required: string[] };
    expect(Object.keys(schema.properties)).to.include.members(Object.keys(settings));
    expect(schema.required).to.have.members(["dataFolder", "cameraSide", "clientSide"]);
  });
});
