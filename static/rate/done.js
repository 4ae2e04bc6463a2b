import { tellHandedIn } from "./other_tabs.js";

tellHandedIn(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
