import { ANYTHING, attr, from, many, opt, optAttr, toldAs, type } from "../schema.ts";
import { dateTime, oneOf, string } from "../simple.ts";

// What a notification is, for our WSDL: what is told is printed once for all who hear of it (wsdl/notification.ts).

export const PropertyOperation = oneOf("tt:PropertyOperation", "Initialized", "Deleted", "Changed");
export const SimpleItem = type("tt:SimpleItem", {
  Name: attr(string),
  Value: attr({ ...string, name: "xs:anySimpleType" }),
});
export const ItemList = type("tt:ItemList", { SimpleItem: many(SimpleItem) });
export const Message = type("tt:Message", {
  Source: opt(ItemList),
  Key: opt(ItemList),
  Data: opt(ItemList),
  UtcTime: attr(dateTime),
  PropertyOperation: optAttr(PropertyOperation),
});

/** Anything may be in it by the schema; ONVIF has a `tt:Message` there (Core 9.4). */
export const NotificationContent = type("wsnt:Message", { Message: from("tt", Message) });
export const NotificationMessageHolder = type("wsnt:NotificationMessageHolderType", {
  Topic: opt(ANYTHING),
  Message: NotificationContent,
});

/** One that is printed already. */
export const PRINTED_NOTIFICATION = toldAs(NotificationMessageHolder);
