/** The page of a chat's files. */

import { page } from "./app.js";
import { Viewer } from "./viewer.js";

new Viewer(page);
