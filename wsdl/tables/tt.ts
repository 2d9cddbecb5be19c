import { ANYTHING, attr, OPEN, opt, type } from "../schema.ts";
import { float, int, listOf, oneOf, string, text, tokenText } from "../simple.ts";

// Types of the common schema that several services share.
// A row stands behind those that it needs; optional elements that are never printed are left out.

export const IntList = listOf("tt:IntList", int);
export const StringList = listOf("tt:StringList", string);
export const StringAttrList = listOf("tt:StringAttrList", string);
export const ReferenceToken = text("tt:ReferenceToken", 64);
export const DeviceEntity = type("tt:DeviceEntity", { token: attr(ReferenceToken) });
export const IPv4Address = tokenText("tt:IPv4Address");
export const IPType = oneOf("tt:IPType", "IPv4", "IPv6");
export const IPv6Address = tokenText("tt:IPv6Address");
export const IPAddress = type("tt:IPAddress", {
  Type: IPType,
  IPv4Address: opt(IPv4Address),
  IPv6Address: opt(IPv6Address),
});
export const Name = text("tt:Name", 64);
export const StreamType = oneOf("tt:StreamType", "RTP-Unicast", "RTP-Multicast");
export const TransportProtocol = oneOf("tt:TransportProtocol", "UDP", "TCP", "RTSP", "HTTP");
export const Transport = type("tt:Transport", { Protocol: TransportProtocol, Tunnel: opt(ANYTHING) });
export const StreamSetup = type("tt:StreamSetup", { Stream: StreamType, Transport }, OPEN);
export const FloatList = listOf("tt:FloatList", float);
export const ConfigurationEntity = type("tt:ConfigurationEntity", { Name, UseCount: int, token: attr(ReferenceToken) });
export const FloatRange = type("tt:FloatRange", { Min: float, Max: float });
