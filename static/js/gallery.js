/** The page of a chat's files. */

import { page } from "./app.js";
import { Viewer } from "./viewer.js";

const month = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { month: "long", year: "numeric", timeZone: "UTC" });

for (const time of page.querySelectorAll(".month time")) time.textContent = month.format(new Date(`${time.dateTime}-01T00:00:00Z`));
new Viewer(page);
