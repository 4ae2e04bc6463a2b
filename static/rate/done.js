import { tellHandedIn } from "./other_tabs.js";

tellHandedIn();
history.replaceState(null, "", location.pathname);
