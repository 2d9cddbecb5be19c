import { NAMESPACES } from "./namespaces.ts";

/**
 * One document of a metadata stream (ONVIF Streaming 5.1.2.1), as UTF-8 text, with notifications as `printNotification` makes them. Without any it says that
 * there is nothing new.
 */
export function printMetadataStream(notifications: readonly string[]): string {
  const { tt, wsnt, tns1 } = NAMESPACES;
  const open = `<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="${tt}"`;
  if (notifications.length === 0) return `${open}/>`;
  const all = notifications.map((one) => `<wsnt:NotificationMessage>${one}</wsnt:NotificationMessage>`).join("");
  return `${open} xmlns:wsnt="${wsnt}" xmlns:tns1="${tns1}"><tt:Event>${all}</tt:Event></tt:MetadataStream>`;
}
