import { NAMESPACES } from "../namespaces.ts";
import { ANYTHING, many, optAttr, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { boolean, int } from "../simple.ts";
import { DEVICE } from "./tds.ts";
import { ReferenceToken } from "./tt.ts";
import { DigitalInput } from "./tt-io.ts";

export const Capabilities = type("tmd:Capabilities", {
  VideoSources: optAttr(int),
  VideoOutputs: optAttr(int),
  AudioSources: optAttr(int),
  AudioOutputs: optAttr(int),
  RelayOutputs: optAttr(int),
  SerialPorts: optAttr(int),
  DigitalInputs: optAttr(int),
  DigitalInputOptions: optAttr(boolean),
});

const Get = type("tmd:Get", {});
const GetResponse = type("tmd:GetResponse", { Token: many(ReferenceToken) });

/** The device I/O service (ONVIF Device IO): what we answer of it and ask cameras for, and what else it has. */
export const DEVICE_IO = service(
  "tmd",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetVideoSources: operation("READ_MEDIA", Get, GetResponse),
    GetAudioSources: operation("READ_MEDIA", Get, GetResponse),
    // Of what a bridge has none.
    GetAudioOutputs: operation("READ_MEDIA", Get, GetResponse),
    GetVideoOutputs: operation("READ_MEDIA", {}, { VideoOutputs: many(ANYTHING) }),
    GetSerialPorts: operation("READ_SYSTEM", {}, { SerialPort: many(ANYTHING) }),
    GetDigitalInputs: operation("READ_SYSTEM", {}, { DigitalInputs: many(DigitalInput) }),
  },
  {
    PRE_AUTH: `
      GetRelayOutputOptions`,
    READ_MEDIA: `
      GetVideoSourceConfiguration GetVideoOutputConfiguration
      GetAudioSourceConfiguration GetAudioOutputConfiguration GetVideoSourceConfigurationOptions
      GetVideoOutputConfigurationOptions GetAudioSourceConfigurationOptions GetAudioOutputConfigurationOptions`,
    ACTUATE: `
      SetVideoSourceConfiguration SetVideoOutputConfiguration SetAudioSourceConfiguration SetAudioOutputConfiguration
      SetRelayOutputSettings SetDigitalInputConfigurations SetSerialPortConfiguration SendReceiveSerialCommand`,
    READ_SYSTEM: `
      GetDigitalInputConfigurationOptions GetSerialPortConfiguration GetSerialPortConfigurationOptions`,
  },
);

/** What the device I/O service borrows: messages of the device service, which are answered at both (Device IO 4.4). */
export const DEVICE_IO_RELAYS = {
  prefix: DEVICE.prefix,
  namespace: DEVICE.namespace,
  actions: NAMESPACES.tmd,
  operations: {
    GetRelayOutputs: DEVICE.operations.GetRelayOutputs,
    SetRelayOutputState: DEVICE.operations.SetRelayOutputState,
  },
  others: new Map([["SetRelayOutputSettings", "ACTUATE"]] as const),
};
