import { tellHandedIn } from "./other_tabs.js";
import { goOnAsBefore } from "./text_size.js";

goOnAsBefore({ isLast: true });
tellHandedIn(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
