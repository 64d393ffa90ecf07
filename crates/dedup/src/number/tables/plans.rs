//! The numbering plans of rlibphonenumber 2.2.15.

// Made by `cargo run -p callbook-dedup --example tables`. Do not edit.

use super::{Plan, plan};

/// The metadata and the rules that make the keys.
pub(crate) const VERSION: &str = "rlibphonenumber-2.2.15/1";

/// Every plan: its calling code, where its automata start (international prefix, national
/// prefix, numbers), what stands before a group of the national prefix, and its numbers'
/// possible lengths. The first is no plan.
#[rustfmt::skip]
pub(super) static PLANS: [Plan; 255] = [
    plan(0, [0, 0, 0], "", &[]),
    // AC international 00, national none, numbers (?:[01589]\d|[2-467])\d{4}
    plan(247, [12, 0, 48], "", &[5, 6]),
    // AD international 00, national none, numbers (?:1|6\d)\d{7}|[135-9]\d{5}
    plan(376, [12, 0, 132], "", &[6, 8, 9]),
    // AE international 00, national 0, numbers (?:[4-7]\d|9[0-689])\d{7}|800\d{2,9}|[2-4679]\d{7}
    plan(971, [12, 24, 288], "", &[5, 6, 7, 8, 9, 10, 11, 12]),
    // AF international 00, national 0, numbers [2-7]\d{8}
    plan(93, [12, 24, 564], "", &[9]),
    // AG international 011, national ([457]\d{6})$|1 as 268$1, numbers (?:268|[58]\d\d|900)\d{7}
    plan(1, [576, 612, 708], "268", &[10]),
    // AI international 011, national ([2457]\d{6})$|1 as 264$1, numbers (?:264|[58]\d\d|900)\d{7}
    plan(1, [576, 780, 792], "264", &[10]),
    // AL international 00, national 0, numbers (?:700\d\d|900)\d{3}|8\d{5,7}|(?:[2-5]|6\d)\d{7}
    plan(355, [12, 24, 828], "", &[6, 7, 8, 9]),
    // AM international 00, national 0, numbers (?:[1-489]\d|55|60|77)\d{6}
    plan(374, [12, 24, 948], "", &[8]),
    // AO international 00, national none, numbers [29]\d{8}
    plan(244, [12, 0, 996], "", &[9]),
    // AR international 00, national 0?(?:(11|2(?:2(?:02?|[13]|2[13-79]|4[1-6]|5[2457]|6[124-8]|7[1-4]|8[13-6]|9[1267])|3(?:02?|1[467]|2[03-6]|3[13-8]|[49][2-6]|5[2-8]|[67])|4(?:7[3-578]|9)|6(?:[0136]|2[24-6]|4[6-8]?|5[15-8])|80|9(?:0[1-3]|[19]|2\d|3[1-6]|4[02568]?|5[2-4]|6[2-46]|72?|8[23]?))|3(?:3(?:2[79]|6|8[2578])|4(?:0[0-24-9]|[12]|3[5-8]?|4[24-7]|5[4-68]?|6[02-9]|7[126]|8[2379]?|9[1-36-8])|5(?:1|2[1245]|3[237]?|4[1-46-9]|6[2-4]|7[1-6]|8[2-5]?)|6[24]|7(?:[069]|1[1568]|2[15]|3[145]|4[13]|5[14-8]|7[2-57]|8[126])|8(?:[01]|2[15-7]|3[2578]?|4[13-6]|5[4-8]?|6[1-357-9]|7[36-8]?|8[5-8]?|9[124])))15)? as 9$1, numbers (?:11|[89]\d\d)\d{8}|[2368]\d{9}
    plan(54, [12, 1008, 2784], "9", &[10, 11]),
    // AS international 011, national ([267]\d{6})$|1 as 684$1, numbers (?:[58]\d\d|684|900)\d{7}
    plan(1, [576, 2844, 2856], "684", &[10]),
    // AT international 00, national 0, numbers 1\d{3,12}|2\d{6,12}|43(?:(?:0\d|5[02-9])\d{3,9}|2\d{4,5}|[3467]\d{4}|8\d{4,6}|9\d{4,7})|5\d{4,12}|8\d{7,12}|9\d{8,12}|(?:[367]\d|4[0-24-9])\d{4,11}
    plan(43, [12, 24, 2880], "", &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    // AU international 001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011, national (183[12])|0, numbers 1(?:[0-79]\d{7}(?:\d(?:\d{2})?)?|8[0-24-9]\d{7})|[2-478]\d{8}|1\d{4,7}
    plan(61, [3372, 3528, 3576], "", &[5, 6, 7, 8, 9, 10, 12]),
    // AW international 00, national none, numbers (?:[25-79]\d\d|800)\d{4}
    plan(297, [12, 0, 3732], "", &[7]),
    // AX international 00|99(?:[01469]|5(?:[14]1|3[23]|5[59]|77|88|9[09])), national 0, numbers 2\d{4,9}|35\d{4,5}|(?:60\d\d|800)\d{4,6}|7\d{5,11}|(?:[14]\d|3[0-46-9]|50)\d{4,8}
    plan(358, [3768, 24, 3876], "", &[5, 6, 7, 8, 9, 10, 11, 12]),
    // AZ international 00, national 0, numbers 365\d{6}|(?:[124579]\d|60|88)\d{7}
    plan(994, [12, 24, 3960], "", &[9]),
    // BA international 00, national 0, numbers 6\d{8}|(?:[35689]\d|49|70)\d{6}
    plan(387, [12, 24, 3984], "", &[8, 9]),
    // BB international 011, national ([2-9]\d{6})$|1 as 246$1, numbers (?:246|[58]\d\d|900)\d{7}
    plan(1, [576, 4008, 4020], "246", &[10]),
    // BD international 00, national 0, numbers [1-469]\d{9}|8[0-79]\d{7,8}|[2-79]\d{8}|[2-9]\d{7}|[3-9]\d{6}|[57-9]\d{5}
    plan(880, [12, 24, 4056], "", &[6, 7, 8, 9, 10]),
    // BE international 00, national 0, numbers 4\d{8}|[1-9]\d{7}
    plan(32, [12, 24, 4116], "", &[8, 9]),
    // BF international 00, national none, numbers [024-7]\d{7}
    plan(226, [12, 0, 4128], "", &[8]),
    // BG international 00, national 0, numbers 00800\d{7}|[2-7]\d{6,7}|[89]\d{6,8}|2\d{5}
    plan(359, [12, 24, 4140], "", &[6, 7, 8, 9, 12]),
    // BH international 00, national none, numbers [136-9]\d{7}
    plan(973, [12, 0, 4176], "", &[8]),
    // BI international 00, national none, numbers (?:[267]\d|31)\d{6}
    plan(257, [12, 0, 4188], "", &[8]),
    // BJ international 00, national none, numbers (?:01\d|8)\d{7}
    plan(229, [12, 0, 4212], "", &[8, 10]),
    // BL international 00, national 0, numbers 7090\d{5}|(?:[56]9|[89]\d)\d{7}
    plan(590, [12, 24, 4224], "", &[9]),
    // BM international 011, national ([2-9]\d{6})$|1 as 441$1, numbers (?:441|[58]\d\d|900)\d{7}
    plan(1, [576, 4008, 4272], "441", &[10]),
    // BN international 00, national none, numbers [2-578]\d{6}
    plan(673, [12, 0, 4308], "", &[7]),
    // BO international 00(?:1\d)?, national 0(1\d)?, numbers (?:[2-7]\d\d|8001)\d{5}
    plan(591, [4320, 4332, 4368], "", &[8, 9]),
    // BQ international 00, national none, numbers (?:[34]1|7\d)\d{5}
    plan(599, [12, 0, 4416], "", &[7]),
    // BR international 00(?:1[245]|2[1-35]|31|4[13]|[56]5|99), national (?:0|90)(?:(1[245]|2[1-35]|31|4[13]|[56]5|99)(\d{10,11}))? as $2, numbers [1-467]\d{9,10}|55[0-46-9]\d{8}|[34]\d{7}|55\d{7,8}|(?:5[0-46-9]|[89]\d)\d{7,9}
    plan(55, [4428, 4524, 5004], "", &[8, 9, 10, 11]),
    // BS international 011, national ([3-8]\d{6})$|1 as 242$1, numbers (?:242|[58]\d\d|900)\d{7}
    plan(1, [576, 5148, 5160], "242", &[10]),
    // BT international 00, national none, numbers [178]\d{7}|[2-8]\d{6}
    plan(975, [12, 0, 5196], "", &[7, 8]),
    // BW international 00, national none, numbers 90\d{5}|(?:0800|[2-6]|(?:7|800)\d)\d{6}
    plan(267, [12, 0, 5208], "", &[7, 8, 10]),
    // BY international 810, national 0|80?, numbers (?:[12]\d|33|44|902)\d{7}|8(?:0[0-79]\d{5,7}|[1-7]\d{9})|8(?:1[0-489]|[5-79]\d)\d{7}|8[1-79]\d{6,7}|8[0-79]\d{5}|8\d{5}
    plan(375, [5244, 5268, 5292], "", &[6, 7, 8, 9, 10, 11]),
    // BZ international 00, national none, numbers (?:0800\d|[2-8])\d{6}
    plan(501, [12, 0, 5388], "", &[7, 11]),
    // CA international 011, national 1, numbers [2-9]\d{9}|3\d{6}
    plan(1, [576, 600, 5400], "", &[7, 10]),
    // CC international 001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011, national ([59]\d{7})$|0 as 8$1, numbers 1(?:[0-79]\d{8}(?:\d{2})?|8[0-24-9]\d{7})|[148]\d{8}|1\d{5,7}
    plan(61, [3372, 5424, 5532], "8", &[6, 7, 8, 9, 10, 12]),
    // CD international 00, national 0, numbers (?:(?:[189]|5\d)\d|2)\d{7}|[1-68]\d{6}
    plan(243, [12, 24, 5616], "", &[7, 8, 9, 10]),
    // CF international 00, national none, numbers 8776\d{4}|(?:[27]\d|61)\d{6}
    plan(236, [12, 0, 5640], "", &[8]),
    // CG international 00, national none, numbers 222\d{6}|(?:0\d|80)\d{7}
    plan(242, [12, 0, 5688], "", &[9]),
    // CH international 00, national 0, numbers 8\d{11}|[2-9]\d{8}
    plan(41, [12, 24, 5724], "", &[9, 12]),
    // CI international 00, national none, numbers [02]\d{9}
    plan(225, [12, 0, 5760], "", &[10]),
    // CK international 00, national none, numbers [2-578]\d{4}
    plan(682, [12, 0, 5772], "", &[5]),
    // CL international (?:0|1(?:1[0-69]|2[02-5]|5[13-58]|69|7[0167]|8[018]))0, national none, numbers 12300\d{6}|6\d{9,10}|[2-9]\d{8}
    plan(56, [5784, 0, 5880], "", &[9, 10, 11]),
    // CM international 00, national none, numbers [26]\d{8}|88\d{6,7}
    plan(237, [12, 0, 5916], "", &[8, 9]),
    // CN international 00|1(?:[12]\d|79)\d\d00, national (1(?:[12]\d|79)\d\d)|0, numbers (?:(?:1[03-689]|2\d)\d\d|6)\d{8}|1\d{10}|[126]\d{6}(?:\d(?:\d{2})?)?|86\d{5,6}|(?:[3-579]\d|8[0-57-9])\d{5,9}
    plan(86, [5940, 6012, 6072], "", &[7, 8, 9, 10, 11, 12]),
    // CO international 00(?:4(?:[14]4|56)|[579]), national 0([3579]|4(?:[14]4|56))?, numbers (?:46|60\d\d)\d{6}|(?:1\d|[39])\d{9}
    plan(57, [6360, 6432, 6456], "", &[8, 10, 11]),
    // CR international 00, national (19(?:0[0-2468]|1[09]|20|66|77|99)), numbers (?:8\d|90)\d{8}|(?:[24-8]\d{3}|3005)\d{4}
    plan(506, [12, 6492, 6540], "", &[8, 10]),
    // CU international 119, national 0, numbers (?:[2-7]|8\d\d)\d{7}|[2-47]\d{6}|[34]\d{5}
    plan(53, [6600, 24, 6624], "", &[6, 7, 8, 10]),
    // CV international 0, national none, numbers (?:[2-59]\d\d|800)\d{4}
    plan(238, [24, 0, 6636], "", &[7]),
    // CW international 00, national none, numbers (?:[34]1|60|(?:7|9\d)\d)\d{5}
    plan(599, [12, 0, 6648], "", &[7, 8]),
    // CX international 001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011, national ([59]\d{7})$|0 as 8$1, numbers 1(?:[0-79]\d{8}(?:\d{2})?|8[0-24-9]\d{7})|[148]\d{8}|1\d{5,7}
    plan(61, [3372, 5424, 5532], "8", &[6, 7, 8, 9, 10, 12]),
    // CY international 00, national none, numbers (?:[279]\d|[58]0)\d{6}
    plan(357, [12, 0, 6660], "", &[8]),
    // CZ international 00, national none, numbers (?:[2-578]\d|60)\d{7}|9\d{8,11}
    plan(420, [12, 0, 6672], "", &[9, 10, 11, 12]),
    // DE international 00, national 0, numbers [2579]\d{5,14}|49(?:[34]0|69|8\d)\d\d?|49(?:37|49|60|7[089]|9\d)\d{1,3}|49(?:2[024-9]|3[2-689]|7[1-7])\d{1,8}|(?:1|[368]\d|4[0-8])\d{3,13}|49(?:[015]\d|2[13]|31|[46][1-8])\d{1,9}
    plan(49, [12, 24, 6708], "", &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    // DJ international 00, national none, numbers (?:2\d|77)\d{6}
    plan(253, [12, 0, 6888], "", &[8]),
    // DK international 00, national none, numbers [2-9]\d{7}
    plan(45, [12, 0, 6900], "", &[8]),
    // DM international 011, national ([2-7]\d{6})$|1 as 767$1, numbers (?:[58]\d\d|767|900)\d{7}
    plan(1, [576, 6912, 6924], "767", &[10]),
    // DO international 011, national 1, numbers (?:[58]\d\d|900)\d{7}
    plan(1, [576, 600, 6960], "", &[10]),
    // DZ international 00, national 0, numbers (?:[1-4]|[5-79]\d|80)\d{7}
    plan(213, [12, 24, 6972], "", &[8, 9]),
    // EC international 00, national 0, numbers 1\d{9,10}|(?:[2-7]|9\d)\d{7}
    plan(593, [12, 24, 6984], "", &[8, 9, 10, 11]),
    // EE international 00, national none, numbers 8\d{9}|[4578]\d{7}|(?:[3-8]\d|90)\d{5}
    plan(372, [12, 0, 6996], "", &[7, 8, 10]),
    // EG international 00, national 0, numbers [189]\d{8,9}|[24-6]\d{8}|[135]\d{7}
    plan(20, [12, 24, 7080], "", &[8, 9, 10]),
    // EH international 00, national 0, numbers [5-8]\d{8}
    plan(212, [12, 24, 7092], "", &[9]),
    // ER international 00, national 0, numbers [178]\d{6}
    plan(291, [12, 24, 7104], "", &[7]),
    // ES international 00, national none, numbers 400\d{6}|(?:51|[6-9]\d)\d{7}
    plan(34, [12, 0, 7116], "", &[9]),
    // ET international 00, national 0, numbers (?:11|[2-57-9]\d)\d{7}
    plan(251, [12, 24, 7128], "", &[9]),
    // FI international 00|99(?:[01469]|5(?:[14]1|3[23]|5[59]|77|88|9[09])), national 0, numbers [1-35689]\d{4}|7\d{10,11}|(?:[124-7]\d|3[0-46-9])\d{8}|[1-9]\d{5,8}
    plan(358, [3768, 24, 7140], "", &[5, 6, 7, 8, 9, 10, 11, 12]),
    // FJ international 0(?:0|52), national none, numbers 45\d{5}|(?:0800\d|[235-9])\d{6}
    plan(679, [7164, 0, 7200], "", &[7, 11]),
    // FK international 00, national none, numbers [2-7]\d{4}
    plan(500, [12, 0, 7224], "", &[5]),
    // FM international 00, national none, numbers (?:[39]\d\d|820)\d{4}
    plan(691, [12, 0, 7236], "", &[7]),
    // FO international 00, national (10(?:01|[12]0|88)), numbers [2-9]\d{5}
    plan(298, [12, 7260, 7296], "", &[6]),
    // FR international 00, national 0, numbers [1-9]\d{8}
    plan(33, [12, 24, 7308], "", &[9]),
    // GA international 00, national 0(11\d{6}|60\d{6}|61\d{6}|6[256]\d{6}|7[467]\d{6}) as $1, numbers (?:[067]\d|11)\d{6}|[2-7]\d{6}
    plan(241, [12, 7320, 7464], "", &[7, 8]),
    // GB international 00, national 0|180020, numbers [1-357-9]\d{9}|[18]\d{8}|8\d{6}
    plan(44, [12, 7476, 7536], "", &[7, 9, 10]),
    // GD international 011, national ([2-9]\d{6})$|1 as 473$1, numbers (?:473|[58]\d\d|900)\d{7}
    plan(1, [576, 4008, 7548], "473", &[10]),
    // GE international 00, national 0, numbers (?:[3-57]\d\d|800)\d{6}
    plan(995, [12, 24, 7572], "", &[9]),
    // GF international 00, national 0, numbers (?:694\d|7093)\d{5}|(?:59|[89]\d)\d{7}
    plan(594, [12, 24, 7584], "", &[9]),
    // GG international 00, national ([25-9]\d{5})$|0|180020 as 1481$1, numbers (?:1481|[357-9]\d{3})\d{6}|8\d{6}(?:\d{2})?
    plan(44, [12, 7656, 7740], "1481", &[7, 9, 10]),
    // GH international 00, national 0, numbers [235]\d{8}|800\d{5,6}
    plan(233, [12, 24, 7776], "", &[8, 9]),
    // GI international 00, national none, numbers (?:[25]\d|60)\d{6}
    plan(350, [12, 0, 7812], "", &[8]),
    // GL international 00, national none, numbers (?:19|[2-689]\d|70)\d{4}
    plan(299, [12, 0, 7824], "", &[6]),
    // GM international 00, national none, numbers [48]\d{8}|[2-9]\d{6}
    plan(220, [12, 0, 7848], "", &[7, 9]),
    // GN international 00, national none, numbers 722\d{6}|(?:3|6\d)\d{7}
    plan(224, [12, 0, 7860], "", &[8, 9]),
    // GP international 00, national 0, numbers 7090\d{5}|(?:[56]9|[89]\d)\d{7}
    plan(590, [12, 24, 4224], "", &[9]),
    // GQ international 00, national none, numbers 222\d{6}|(?:3\d|55|[89]0)\d{7}
    plan(240, [12, 0, 7872], "", &[9]),
    // GR international 00, national none, numbers 5005000\d{3}|8\d{9,11}|(?:[269]\d|70)\d{8}
    plan(30, [12, 0, 7896], "", &[10, 11, 12]),
    // GT international 00, national none, numbers 80\d{6}|(?:1\d{3}|[2-7])\d{7}
    plan(502, [12, 0, 7968], "", &[8, 11]),
    // GU international 011, national ([2-9]\d{6})$|1 as 671$1, numbers (?:[58]\d\d|671|900)\d{7}
    plan(1, [576, 4008, 7980], "671", &[10]),
    // GW international 00, national none, numbers [49]\d{8}|4\d{6}
    plan(245, [12, 0, 8004], "", &[7, 9]),
    // GY international 001, national none, numbers (?:[2-8]\d{3}|9008)\d{3}
    plan(592, [8016, 0, 8040], "", &[7]),
    // HK international 00(?:30|5[09]|[126-9]?), national none, numbers 8[0-46-9]\d{6,7}|9\d{4,7}|(?:[2-7]|9\d{3})\d{7}
    plan(852, [8088, 0, 8124], "", &[5, 6, 7, 8, 9, 11]),
    // HN international 00, national none, numbers 8\d{10}|[237-9]\d{7}
    plan(504, [12, 0, 8232], "", &[8, 11]),
    // HR international 00, national 0, numbers [2-69]\d{8}|80\d{5,7}|[1-79]\d{7}|6\d{6}
    plan(385, [12, 24, 8244], "", &[7, 8, 9]),
    // HT international 00, national none, numbers [2-589]\d{7}
    plan(509, [12, 0, 8268], "", &[8]),
    // HU international 00, national 06, numbers [235-7]\d{8}|[1-9]\d{7}
    plan(36, [12, 8280, 8292], "", &[8, 9]),
    // ID international 00[89], national 0, numbers 00[1-9]\d{9,14}|(?:[1-36]|8\d{5})\d{6}|00\d{9}|[1-9]\d{8,10}|[2-9]\d{7}
    plan(62, [8304, 24, 8340], "", &[7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]),
    // IE international 00, national 0, numbers (?:1\d|[2569])\d{6,8}|4\d{6,9}|7\d{8}|8\d{8,9}
    plan(353, [12, 24, 8472], "", &[7, 8, 9, 10]),
    // IL international 0(?:0|1(?:05|[2-9])), national 0, numbers 1\d{6}(?:\d{3,5})?|[57]\d{8}|[1-489]\d{7}
    plan(972, [8484, 24, 8520], "", &[7, 8, 9, 10, 11, 12]),
    // IM international 00, national ([25-8]\d{5})$|0|180020 as 1624$1, numbers 1624\d{6}|(?:[3578]\d|90)\d{8}
    plan(44, [12, 8544, 8556], "1624", &[10]),
    // IN international 00, national 0, numbers (?:000800|[2-9]\d\d)\d{7}|1\d{7,12}
    plan(91, [12, 24, 8592], "", &[8, 9, 10, 11, 12, 13]),
    // IO international 00, national none, numbers 3\d{6}
    plan(246, [12, 0, 8616], "", &[7]),
    // IQ international 00, national 0, numbers (?:1|7\d\d)\d{7}|[2-6]\d{7,8}
    plan(964, [12, 24, 8628], "", &[8, 9, 10]),
    // IR international 00, national 0, numbers [1-9]\d{9}|(?:[1-8]\d\d|9)\d{3,4}
    plan(98, [12, 24, 8640], "", &[4, 5, 6, 7, 10]),
    // IS international 00|1(?:0(?:01|[12]0)|100), national none, numbers (?:38\d|[4-9])\d{6}
    plan(354, [8772, 0, 8808], "", &[7, 9]),
    // IT international 00, national none, numbers 0\d{5,11}|1\d{8,10}|3(?:[0-8]\d{7,10}|9\d{7,8})|(?:43|55|70)\d{8}|8\d{5}(?:\d{2,4})?
    plan(39, [12, 0, 8820], "", &[6, 7, 8, 9, 10, 11, 12]),
    // JE international 00, national ([0-24-8]\d{5})$|0|180020 as 1534$1, numbers 1534\d{6}|(?:[3578]\d|90)\d{8}
    plan(44, [12, 8868, 8964], "1534", &[10]),
    // JM international 011, national 1, numbers (?:[58]\d\d|658|900)\d{7}
    plan(1, [576, 600, 9000], "", &[10]),
    // JO international 00, national 0, numbers (?:(?:[2689]|7\d)\d|32|427|53)\d{6}
    plan(962, [12, 24, 9024], "", &[8, 9]),
    // JP international 010, national (000[2569]\d{4,6})$|(?:(?:003768)0?)|0 as $1, numbers 00[1-9]\d{6,14}|[25-9]\d{9}|(?:00|[1-9]\d\d)\d{6}
    plan(81, [9048, 9060, 9228], "", &[8, 9, 10, 11, 12, 13, 14, 15, 16, 17]),
    // KE international 000, national 0, numbers (?:[17]\d\d|900)\d{6}|(?:2|80)0\d{6,7}|[4-6]\d{6,8}
    plan(254, [9264, 24, 9276], "", &[7, 8, 9, 10]),
    // KG international 00, national 0, numbers 8\d{9}|[235-9]\d{8}
    plan(996, [12, 24, 9312], "", &[9, 10]),
    // KH international 00[14-9], national 0, numbers 1\d{9}|[1-9]\d{7,8}
    plan(855, [9324, 24, 9360], "", &[8, 9, 10]),
    // KI international 00, national 0, numbers (?:[37]\d|6[0-79])\d{6}|(?:[2-48]\d|50)\d{3}
    plan(686, [12, 24, 9372], "", &[5, 8]),
    // KM international 00, national none, numbers [3478]\d{6}
    plan(269, [12, 0, 9396], "", &[7]),
    // KN international 011, national ([2-7]\d{6})$|1 as 869$1, numbers (?:[58]\d\d|900)\d{7}
    plan(1, [576, 6912, 6960], "869", &[10]),
    // KP international 00|99, national 0, numbers 85\d{6}|(?:19\d|[2-7])\d{7}
    plan(850, [9408, 24, 9420], "", &[8, 10]),
    // KR international 00(?:[125689]|3(?:[46]5|91)|7(?:00|27|3|55|6[126])), national 0(8(?:[1-46-8]|5\d\d))?, numbers 00[1-9]\d{8,11}|(?:[12]|5\d{3})\d{7}|[13-6]\d{9}|(?:[1-6]\d|80)\d{7}|[3-6]\d{4,5}|(?:00|7)0\d{8}
    plan(82, [9444, 9516, 9552], "", &[5, 6, 8, 9, 10, 11, 12, 13, 14]),
    // KW international 00, national none, numbers 18\d{5}|(?:[2569]\d|41)\d{6}
    plan(965, [12, 0, 9732], "", &[7, 8]),
    // KY international 011, national ([2-9]\d{6})$|1 as 345$1, numbers (?:345|[58]\d\d|900)\d{7}
    plan(1, [576, 4008, 9756], "345", &[10]),
    // KZ international 810, national 8, numbers 8\d{13}|[78]\d{9}
    plan(7, [5244, 3852, 9780], "", &[10, 14]),
    // LA international 00, national 0, numbers [23]\d{9}|3\d{8}|(?:[235-8]\d|41)\d{6}
    plan(856, [12, 24, 9912], "", &[8, 9, 10]),
    // LB international 00, national 0, numbers [27-9]\d{7}|[13-9]\d{6}
    plan(961, [12, 24, 9924], "", &[7, 8]),
    // LC international 011, national ([2-8]\d{6})$|1 as 758$1, numbers (?:[58]\d\d|758|900)\d{7}
    plan(1, [576, 9936, 9948], "758", &[10]),
    // LI international 00, national (1001)|0, numbers [68]\d{8}|(?:[2378]\d|90)\d{5}
    plan(423, [12, 9960, 9972], "", &[7, 9]),
    // LK international 00, national 0, numbers [1-9]\d{8}
    plan(94, [12, 24, 7308], "", &[9]),
    // LR international 00, national 0, numbers (?:[2457]\d|33|88)\d{7}|(?:2\d|[4-6])\d{6}
    plan(231, [12, 24, 9984], "", &[7, 8, 9]),
    // LS international 00, national none, numbers (?:[256]\d\d|800)\d{5}
    plan(266, [12, 0, 9996], "", &[8]),
    // LT international 00, national [08], numbers (?:[3469]\d|52|[78]0)\d{6}
    plan(370, [12, 10008, 10020], "", &[8]),
    // LU international 00, national (15(?:0[06]|1[12]|[35]5|4[04]|6[26]|77|88|99)\d), numbers 35[013-9]\d{4,8}|6\d{8}|35\d{2,4}|(?:[2457-9]\d|3[0-46-9])\d{2,9}
    plan(352, [12, 10032, 10164], "", &[4, 5, 6, 7, 8, 9, 10, 11]),
    // LV international 00, national none, numbers (?:[268]\d|78|90)\d{6}
    plan(371, [12, 0, 10200], "", &[8]),
    // LY international 00, national 0, numbers [2-9]\d{8}
    plan(218, [12, 24, 10224], "", &[9]),
    // MA international 00, national 0, numbers [5-8]\d{8}
    plan(212, [12, 24, 7092], "", &[9]),
    // MC international 00, national 0, numbers (?:[3489]|[67]\d)\d{7}
    plan(377, [12, 24, 10236], "", &[8, 9]),
    // MD international 00, national 0, numbers (?:[235-7]\d|[89]0)\d{6}
    plan(373, [12, 24, 10248], "", &[8]),
    // ME international 00, national 0, numbers (?:20|[3-79]\d)\d{6}|80\d{6,7}
    plan(382, [12, 24, 10260], "", &[8, 9]),
    // MF international 00, national 0, numbers 7090\d{5}|(?:[56]9|[89]\d)\d{7}
    plan(590, [12, 24, 4224], "", &[9]),
    // MG international 00, national ([24-9]\d{6})$|0 as 20$1, numbers [23]\d{8}
    plan(261, [12, 10272, 10284], "20", &[9]),
    // MH international 011, national 1, numbers 329\d{4}|(?:[256]\d|45)\d{5}
    plan(692, [576, 600, 10296], "", &[7]),
    // MK international 00, national 0, numbers [2-578]\d{7}
    plan(389, [12, 24, 10320], "", &[8]),
    // ML international 00, national none, numbers [24-9]\d{7}
    plan(223, [12, 0, 10332], "", &[8]),
    // MM international 00, national 0, numbers 1\d{5,7}|95\d{6}|(?:[4-7]|9[0-46-9])\d{6,8}|(?:2|8\d)\d{5,8}
    plan(95, [12, 24, 10344], "", &[6, 7, 8, 9, 10]),
    // MN international 001, national 0, numbers [12]\d{7,9}|[5-9]\d{7}
    plan(976, [8016, 24, 10368], "", &[8, 9, 10]),
    // MO international 00, national none, numbers 0800\d{3}|(?:28|[68]\d)\d{6}
    plan(853, [12, 0, 10380], "", &[7, 8]),
    // MP international 011, national ([2-9]\d{6})$|1 as 670$1, numbers [58]\d{9}|(?:67|90)0\d{7}
    plan(1, [576, 4008, 10404], "670", &[10]),
    // MQ international 00, national 0, numbers 7091\d{5}|(?:[56]9|[89]\d)\d{7}
    plan(596, [12, 24, 10428], "", &[9]),
    // MR international 00, national none, numbers (?:[2-4]\d\d|800)\d{5}
    plan(222, [12, 0, 10464], "", &[8]),
    // MS international 011, national ([34]\d{6})$|1 as 664$1, numbers (?:[58]\d\d|664|900)\d{7}
    plan(1, [576, 10476, 10488], "664", &[10]),
    // MT international 00, national none, numbers 3550\d{4}|(?:[2579]\d\d|800)\d{5}
    plan(356, [12, 0, 10500], "", &[8]),
    // MU international 0(?:0|[24-7]0|3[03]), national none, numbers (?:[57]|8\d\d)\d{7}|[2-468]\d{6}
    plan(230, [10536, 0, 10572], "", &[7, 8, 10]),
    // MV international 0(?:0|19), national none, numbers (?:800|9[0-57-9]\d)\d{7}|[34679]\d{6}
    plan(960, [10584, 0, 10608], "", &[7, 10]),
    // MW international 00, national 0, numbers (?:[1289]\d|31|77)\d{7}|1\d{6}
    plan(265, [12, 24, 10632], "", &[7, 9]),
    // MX international 0[09], national none, numbers [2-9]\d{9}
    plan(52, [10644, 0, 10656], "", &[10]),
    // MY international 00, national 0, numbers 1\d{8,9}|(?:3\d|[4-9])\d{7}
    plan(60, [12, 24, 10668], "", &[8, 9, 10]),
    // MZ international 00, national none, numbers (?:2|8\d)\d{7}
    plan(258, [12, 0, 10680], "", &[8, 9]),
    // NA international 00, national 0, numbers [68]\d{7,8}
    plan(264, [12, 24, 10692], "", &[8, 9]),
    // NC international 00, national none, numbers (?:050|[2-57-9]\d\d)\d{3}
    plan(687, [12, 0, 10704], "", &[6]),
    // NE international 00, national none, numbers [027-9]\d{7}
    plan(227, [12, 0, 10728], "", &[8]),
    // NF international 00, national ([0-258]\d{4})$ as 3$1, numbers [13]\d{5}
    plan(672, [12, 10740, 10812], "3", &[6]),
    // NG international 009, national 0, numbers (?:20|9\d)\d{8}|[78]\d{9,13}
    plan(234, [10824, 24, 10848], "", &[10, 11, 12, 13, 14]),
    // NI international 00, national none, numbers (?:1800|[25-8]\d{3})\d{4}
    plan(505, [12, 0, 10872], "", &[8]),
    // NL international 00, national 0, numbers (?:[124-7]\d\d|3(?:[02-9]\d|1[0-8]))\d{6}|8\d{6,9}|9\d{6,10}|1\d{4,5}
    plan(31, [12, 24, 10896], "", &[5, 6, 7, 8, 9, 10, 11]),
    // NO international 00, national none, numbers (?:0|[2-9]\d{3})\d{4}
    plan(47, [12, 0, 10932], "", &[5, 8]),
    // NP international 00, national 0, numbers (?:1\d|9)\d{9}|[1-9]\d{7}
    plan(977, [12, 24, 10944], "", &[8, 10, 11]),
    // NR international 00, national none, numbers (?:222|444|(?:55|8\d)\d|666|777|999)\d{4}
    plan(674, [12, 0, 10956], "", &[7]),
    // NU international 00, national none, numbers (?:[4-7]|888\d)\d{3}
    plan(683, [12, 0, 11064], "", &[4, 7]),
    // NZ international 0(?:0|161), national 0, numbers [1289]\d{9}|50\d{5}(?:\d{2,3})?|[27-9]\d{7,8}|(?:[34]\d|6[0-35-9])\d{6}|8\d{4,6}
    plan(64, [11100, 24, 11136], "", &[5, 6, 7, 8, 9, 10]),
    // OM international 00, national none, numbers (?:1505|[279]\d{3}|500)\d{4}|800\d{5,6}
    plan(968, [12, 0, 11172], "", &[7, 8, 9]),
    // PA international 00, national none, numbers (?:00800|8\d{3})\d{6}|[68]\d{7}|[1-57-9]\d{6}
    plan(507, [12, 0, 11196], "", &[7, 8, 10, 11]),
    // PE international 00|19(?:1[124]|77|90)00, national 0, numbers (?:[14-8]|9\d)\d{7}
    plan(51, [11220, 24, 11280], "", &[8, 9]),
    // PF international 00, national none, numbers 4\d{5}(?:\d{2})?|8\d{7,8}
    plan(689, [12, 0, 11292], "", &[6, 8, 9]),
    // PG international 00|140[1-3], national none, numbers (?:180|[78]\d{3})\d{4}|(?:[2-589]\d|64)\d{5}
    plan(675, [11304, 0, 11352], "", &[7, 8]),
    // PH international 00, national 0, numbers (?:[2-7]|9\d)\d{8}|2\d{5}|(?:1800|8)\d{7,9}
    plan(63, [12, 24, 11388], "", &[6, 8, 9, 10, 11, 12, 13]),
    // PK international 00, national 0, numbers 122\d{6}|[24-8]\d{10,11}|9(?:[013-9]\d{8,10}|2(?:[01]\d\d|2(?:[06-8]\d|1[01]))\d{7})|(?:[2-8]\d{3}|92(?:[0-7]\d|8[1-9]))\d{6}|[24-9]\d{8}|[89]\d{7}
    plan(92, [12, 24, 11436], "", &[8, 9, 10, 11, 12]),
    // PL international 00, national none, numbers (?:6|8\d\d)\d{7}|[1-9]\d{6}(?:\d{2})?|[26]\d{5}
    plan(48, [12, 0, 11568], "", &[6, 7, 8, 9, 10]),
    // PM international 00, national 0, numbers [78]\d{8}|[2-9]\d{5}
    plan(508, [12, 24, 11580], "", &[6, 9]),
    // PR international 011, national 1, numbers (?:[589]\d\d|787)\d{7}
    plan(1, [576, 600, 11592], "", &[10]),
    // PS international 00, national 0, numbers [2489]2\d{6}|(?:1\d|5)\d{8}
    plan(970, [12, 24, 11616], "", &[8, 9, 10]),
    // PT international 00, national none, numbers 1693\d{5}|(?:[26-9]\d|30)\d{7}
    plan(351, [12, 0, 11628], "", &[9]),
    // PW international 01[12], national none, numbers (?:[24-8]\d\d|345|900)\d{4}
    plan(680, [11652, 0, 11676], "", &[7]),
    // PY international 00, national 0, numbers [36-8]\d{5,8}|4\d{6,8}|59\d{6}|9\d{5,10}|(?:2\d|5[0-8])\d{6,7}
    plan(595, [12, 24, 11700], "", &[6, 7, 8, 9, 10, 11]),
    // QA international 00, national none, numbers 800\d{4}|(?:2|800)\d{6}|(?:0080|[3-7])\d{7}
    plan(974, [12, 0, 11724], "", &[7, 8, 9, 11]),
    // RE international 00, national 0, numbers 709\d{6}|(?:26|[689]\d)\d{7}
    plan(262, [12, 24, 11784], "", &[9]),
    // RO international 00, national 0, numbers (?:[236-8]\d|90)\d{7}|[23]\d{5}
    plan(40, [12, 24, 11808], "", &[6, 9]),
    // RS international 00, national 0, numbers 38[02-9]\d{6,9}|6\d{7,9}|90\d{4,8}|38\d{5,6}|(?:7\d\d|800)\d{3,9}|(?:[12]\d|3[0-79])\d{5,10}
    plan(381, [12, 24, 11820], "", &[6, 7, 8, 9, 10, 11, 12]),
    // RU international 810, national 8, numbers 8\d{13}|[347-9]\d{9}
    plan(7, [5244, 3852, 11880], "", &[10, 14]),
    // RW international 00, national 0, numbers (?:06|[27]\d\d|[89]00)\d{6}
    plan(250, [12, 24, 11892], "", &[8, 9]),
    // SA international 00, national 0, numbers (?:[15]\d|800|92)\d{7}
    plan(966, [12, 24, 11904], "", &[9, 10]),
    // SB international 0[01], national none, numbers [6-9]\d{6}|[1-6]\d{4}
    plan(677, [11916, 0, 11940], "", &[5, 7]),
    // SC international 010|0[0-2], national none, numbers (?:[2489]\d|64)\d{5}
    plan(248, [11952, 0, 11976], "", &[7]),
    // SD international 00, national 0, numbers [19]\d{8}
    plan(249, [12, 24, 11988], "", &[9]),
    // SE international 00, national 0, numbers (?:[26]\d\d|9)\d{9}|[1-9]\d{8}|[1-689]\d{7}|[1-4689]\d{6}|2\d{5}
    plan(46, [12, 24, 12000], "", &[6, 7, 8, 9, 10, 12]),
    // SG international 0[0-3]\d, national none, numbers (?:(?:1\d|8)\d\d|7000)\d{7}|[3689]\d{7}
    plan(65, [12096, 0, 12120], "", &[8, 10, 11]),
    // SH international 00, national none, numbers (?:[2569]\d|8)\d{3}
    plan(290, [12, 0, 12144], "", &[4, 5]),
    // SI international 00|10(?:22|66|88|99), national 0, numbers [1-7]\d{7}|8\d{4,7}|90\d{4,6}
    plan(386, [12156, 24, 12192], "", &[5, 6, 7, 8]),
    // SJ international 00, national none, numbers 0\d{4}|(?:[489]\d|79)\d{6}
    plan(47, [12, 0, 12204], "", &[5, 8]),
    // SK international 00, national 0, numbers [2-689]\d{8}|[2-59]\d{6}|[2-5]\d{5}
    plan(421, [12, 24, 12216], "", &[6, 7, 9]),
    // SL international 00, national 0, numbers (?:[237-9]\d|66)\d{6}
    plan(232, [12, 24, 12228], "", &[8]),
    // SM international 00, national ([89]\d{5})$ as 0549$1, numbers (?:0549|[5-7]\d)\d{6}
    plan(378, [12, 12240, 12252], "0549", &[8, 10]),
    // SN international 00, national none, numbers (?:[378]\d|93)\d{7}
    plan(221, [12, 0, 12288], "", &[9]),
    // SO international 00, national 0, numbers [346-9]\d{8}|[12679]\d{7}|[1-5]\d{6}|[1348]\d{5}
    plan(252, [12, 24, 12300], "", &[6, 7, 8, 9]),
    // SR international 00, national none, numbers (?:[2-5]|[6-9]\d)\d{5}
    plan(597, [12, 0, 12312], "", &[6, 7]),
    // SS international 00, national 0, numbers [19]\d{8}
    plan(211, [12, 24, 11988], "", &[9]),
    // ST international 00, national none, numbers (?:22|9\d)\d{5}
    plan(239, [12, 0, 12324], "", &[7]),
    // SV international 00, national none, numbers [25-7]\d{7}|(?:80\d|900)\d{4}(?:\d{4})?
    plan(503, [12, 0, 12348], "", &[7, 8, 11]),
    // SX international 011, national (5\d{6})$|1 as 721$1, numbers 7215\d{6}|(?:[58]\d\d|900)\d{7}
    plan(1, [576, 12396, 12408], "721", &[10]),
    // SY international 00, national 0, numbers [1-359]\d{8}|[1-5]\d{7}
    plan(963, [12, 24, 12444], "", &[8, 9]),
    // SZ international 00, national none, numbers 0800\d{4}|(?:[237]\d|900)\d{6}
    plan(268, [12, 0, 12456], "", &[8, 9]),
    // TA international 00, national none, numbers 8\d{3}
    plan(290, [12, 0, 8076], "", &[4]),
    // TC international 011, national ([2-479]\d{6})$|1 as 649$1, numbers (?:[58]\d\d|649|900)\d{7}
    plan(1, [576, 12468, 12480], "649", &[10]),
    // TD international 00|16, national none, numbers (?:22|[3689]\d|77)\d{6}
    plan(235, [12504, 0, 12516], "", &[8]),
    // TG international 00, national none, numbers [279]\d{7}
    plan(228, [12, 0, 12528], "", &[8]),
    // TH international 00[1-9], national 0, numbers (?:001800|[2-57]|[689]\d)\d{7}|1\d{7,9}
    plan(66, [12540, 24, 12576], "", &[8, 9, 10, 13]),
    // TJ international 810, national none, numbers (?:[0-57-9]\d|66)\d{7}
    plan(992, [5244, 0, 12612], "", &[9]),
    // TK international 00, national none, numbers [2-47]\d{3,6}
    plan(690, [12, 0, 12624], "", &[4, 5, 6, 7]),
    // TL international 00, national none, numbers 7\d{7}|(?:[2-47]\d|[89]0)\d{5}
    plan(670, [12, 0, 12636], "", &[7, 8]),
    // TM international 810, national 8, numbers [1-7]\d{7}
    plan(993, [5244, 3852, 12648], "", &[8]),
    // TN international 00, national none, numbers [2-57-9]\d{7}
    plan(216, [12, 0, 12660], "", &[8]),
    // TO international 00, national none, numbers (?:0800|(?:[5-8]\d\d|999)\d)\d{3}|[2-8]\d{4}
    plan(676, [12, 0, 12672], "", &[5, 7]),
    // TR international 00, national 0, numbers 4\d{6}|8\d{11,12}|(?:[2-58]\d\d|900)\d{7}
    plan(90, [12, 24, 12684], "", &[7, 10, 12, 13]),
    // TT international 011, national ([2-46-8]\d{6})$|1 as 868$1, numbers (?:[58]\d\d|900)\d{7}
    plan(1, [576, 12720, 6960], "868", &[10]),
    // TV international 00, national none, numbers (?:2|7\d\d|90)\d{4}
    plan(688, [12, 0, 12732], "", &[5, 6, 7]),
    // TW international 0(?:0[25-79]|19), national 0, numbers [2-689]\d{8}|7\d{9,10}|[2-8]\d{7}|2\d{6}
    plan(886, [12744, 24, 12780], "", &[7, 8, 9, 10, 11]),
    // TZ international 00[056], national 0, numbers (?:[25-8]\d|41|90)\d{7}
    plan(255, [12792, 24, 12828], "", &[9]),
    // UA international 00, national 0, numbers [89]\d{9}|[3-9]\d{8}
    plan(380, [12, 24, 12840], "", &[9, 10]),
    // UG international 00[057], national 0, numbers 800\d{6}|(?:[29]0|[347]\d)\d{7}
    plan(256, [12852, 24, 12888], "", &[9]),
    // US international 011, national 1, numbers [2-9]\d{9}|3\d{6}
    plan(1, [576, 600, 5400], "", &[10]),
    // UY international 0(?:0|1[3-9]\d), national 0, numbers 0004\d{2,9}|[1249]\d{7}|2\d{3,4}|(?:[49]\d|80)\d{5}
    plan(598, [12900, 24, 12936], "", &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    // UZ international 00, national none, numbers (?:20|33|[5-9]\d)\d{7}
    plan(998, [12, 0, 12984], "", &[9]),
    // VA international 00, national none, numbers 0\d{5,10}|3[0-8]\d{7,10}|55\d{8}|8\d{5}(?:\d{2,4})?|(?:1\d|39)\d{7,8}
    plan(39, [12, 0, 12996], "", &[6, 7, 8, 9, 10, 11, 12]),
    // VC international 011, national ([2-7]\d{6})$|1 as 784$1, numbers (?:[58]\d\d|784|900)\d{7}
    plan(1, [576, 6912, 13008], "784", &[10]),
    // VE international 00, national 0, numbers [68]00\d{7}|(?:[24]\d|[59]0)\d{8}
    plan(58, [12, 24, 13020], "", &[10]),
    // VG international 011, national ([2-578]\d{6})$|1 as 284$1, numbers (?:284|[58]\d\d|900)\d{7}
    plan(1, [576, 13032, 13044], "284", &[10]),
    // VI international 011, national ([2-9]\d{6})$|1 as 340$1, numbers [58]\d{9}|(?:34|90)0\d{7}
    plan(1, [576, 4008, 13056], "340", &[10]),
    // VN international 00, national 0, numbers [12]\d{9}|[135-9]\d{8}|[16]\d{6,7}|7\d{6}
    plan(84, [12, 24, 13080], "", &[7, 8, 9, 10]),
    // VU international 00, national none, numbers [57-9]\d{6}|(?:[238]\d|48)\d{3}
    plan(678, [12, 0, 13092], "", &[5, 7]),
    // WF international 00, national none, numbers (?:40|72|8\d{4})\d{4}|[89]\d{5}
    plan(681, [12, 0, 13104], "", &[6, 9]),
    // WS international 0, national none, numbers (?:[2-6]|8\d{5})\d{4}|[78]\d{6}|[68]\d{5}
    plan(685, [24, 0, 13116], "", &[5, 6, 7, 10]),
    // XK international 00, national 0, numbers 2\d{7,8}|3\d{7,11}|(?:4\d\d|[89]00)\d{5}
    plan(383, [12, 24, 13128], "", &[8, 9, 10, 11, 12]),
    // YE international 00, national 0, numbers (?:1|7\d)\d{7}|[1-7]\d{6}
    plan(967, [12, 24, 13140], "", &[7, 8, 9]),
    // YT international 00, national 0, numbers (?:639\d|7093)\d{5}|(?:26|80|9\d)\d{7}
    plan(262, [12, 24, 13152], "", &[9]),
    // ZA international 00, national 0, numbers [1-79]\d{8}|8\d{4,9}
    plan(27, [12, 24, 13176], "", &[5, 6, 7, 8, 9, 10]),
    // ZM international 00, national 0, numbers 800\d{6}|(?:21|[579]\d|63)\d{7}
    plan(260, [12, 24, 13188], "", &[9]),
    // ZW international 00, national 0, numbers (?:13|8\d{4})\d{5}|[235-8]\d{8}|[23568]\d{6}
    plan(263, [12, 24, 13200], "", &[7, 9, 10]),
    // 001 international none, national none, numbers (?:00|[1-9]\d)\d{6}
    plan(800, [0, 0, 13212], "", &[8]),
    // 001 international none, national none, numbers [1-9]\d{7}
    plan(808, [0, 0, 13224], "", &[8]),
    // 001 international none, national none, numbers 7\d{11}|[235-7]\d{8}
    plan(870, [0, 0, 13236], "", &[9, 12]),
    // 001 international none, national none, numbers 10\d{10}
    plan(878, [0, 0, 13248], "", &[12]),
    // 001 international none, national none, numbers 6\d{9}|[0-36-9]\d{8}
    plan(881, [0, 0, 13272], "", &[9, 10]),
    // 001 international none, national none, numbers [13]\d{6}(?:\d{2,5})?|[19]\d{7}|(?:[25]\d\d|4)\d{7}(?:\d{2})?
    plan(882, [0, 0, 13284], "", &[7, 8, 9, 10, 11, 12]),
    // 001 international none, national none, numbers (?:[1-4]\d|51)\d{6,10}
    plan(883, [0, 0, 13404], "", &[8, 9, 10, 11, 12]),
    // 001 international none, national none, numbers \d{11}
    plan(888, [0, 0, 13428], "", &[11]),
    // 001 international none, national none, numbers [1359]\d{8}
    plan(979, [0, 0, 13440], "", &[9]),
];

/// The plan of a region, by the letters of its code.
#[rustfmt::skip]
pub(super) static REGIONS: [[u8; 26]; 26] = [
    [0, 0, 1, 2, 3, 4, 5, 0, 6, 0, 0, 7, 8, 0, 9, 0, 0, 10, 11, 12, 13, 0, 14, 15, 0, 16], // A
    [17, 18, 0, 19, 20, 21, 22, 23, 24, 25, 0, 26, 27, 28, 29, 0, 30, 31, 32, 33, 0, 0, 34, 0, 35, 36], // B
    [37, 0, 38, 39, 0, 40, 41, 42, 43, 0, 44, 45, 46, 47, 48, 0, 0, 49, 0, 0, 50, 51, 52, 53, 54, 55], // C
    [0, 0, 0, 0, 56, 0, 0, 0, 0, 57, 58, 0, 59, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 61], // D
    [0, 0, 62, 0, 63, 0, 64, 65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 66, 67, 68, 0, 0, 0, 0, 0, 0], // E
    [0, 0, 0, 0, 0, 0, 0, 0, 69, 70, 71, 0, 72, 0, 73, 0, 0, 74, 0, 0, 0, 0, 0, 0, 0, 0], // F
    [75, 76, 0, 77, 78, 79, 80, 81, 82, 0, 0, 83, 84, 85, 0, 86, 87, 88, 0, 89, 90, 0, 91, 0, 92, 0], // G
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93, 0, 0, 94, 0, 0, 0, 95, 0, 96, 97, 0, 0, 0, 0, 0], // H
    [0, 0, 0, 98, 99, 0, 0, 0, 0, 0, 0, 100, 101, 102, 103, 0, 104, 105, 106, 107, 0, 0, 0, 0, 0, 0], // I
    [0, 0, 0, 0, 108, 0, 0, 0, 0, 0, 0, 0, 109, 0, 110, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // J
    [0, 0, 0, 0, 112, 0, 113, 114, 115, 0, 0, 0, 116, 117, 0, 118, 0, 119, 0, 0, 0, 0, 120, 0, 121, 122], // K
    [123, 124, 125, 0, 0, 0, 0, 0, 126, 0, 127, 0, 0, 0, 0, 0, 0, 128, 129, 130, 131, 132, 0, 0, 133, 0], // L
    [134, 0, 135, 136, 137, 138, 139, 140, 0, 0, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156], // M
    [157, 0, 158, 0, 159, 160, 161, 0, 162, 0, 0, 163, 0, 0, 164, 165, 0, 166, 0, 0, 167, 0, 0, 0, 0, 168], // N
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 169, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // O
    [170, 0, 0, 0, 171, 172, 173, 174, 0, 0, 175, 176, 177, 0, 0, 0, 0, 178, 179, 180, 0, 0, 181, 0, 182, 0], // P
    [183, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // Q
    [0, 0, 0, 0, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 185, 0, 0, 0, 186, 0, 187, 0, 188, 0, 0, 0], // R
    [189, 190, 191, 192, 193, 0, 194, 195, 196, 197, 198, 199, 200, 201, 202, 0, 0, 203, 204, 205, 0, 206, 0, 207, 208, 209], // S
    [210, 0, 211, 212, 0, 0, 213, 214, 0, 215, 216, 217, 218, 219, 220, 0, 0, 221, 0, 222, 0, 223, 224, 0, 0, 225], // T
    [226, 0, 0, 0, 0, 0, 227, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 228, 0, 0, 0, 0, 0, 229, 230], // U
    [231, 0, 232, 0, 233, 0, 234, 0, 235, 0, 0, 0, 0, 236, 0, 0, 0, 0, 0, 0, 237, 0, 0, 0, 0, 0], // V
    [0, 0, 0, 0, 0, 238, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 239, 0, 0, 0, 0, 0, 0, 0], // W
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // X
    [0, 0, 0, 0, 241, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 242, 0, 0, 0, 0, 0, 0], // Y
    [243, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 244, 0, 0, 0, 0, 0, 0, 0, 0, 0, 245, 0, 0, 0], // Z
];

/// The plan that reads the numbers of a calling code.
#[rustfmt::skip]
pub(super) static CALLING_CODES: [u8; 1000] = [
    0, 228, 0, 0, 0, 0, 0, 187, 0, 0, // 0x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 1x
    64, 0, 0, 0, 0, 0, 0, 243, 0, 0, // 2x
    88, 163, 20, 74, 67, 0, 97, 0, 0, 107, // 3x
    185, 42, 0, 12, 76, 58, 193, 164, 176, 56, // 4x
    0, 171, 154, 50, 10, 31, 45, 48, 233, 0, // 5x
    155, 13, 98, 174, 168, 194, 214, 0, 0, 0, // 6x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 7x
    0, 111, 119, 0, 236, 0, 47, 0, 0, 0, // 8x
    221, 102, 175, 4, 127, 143, 0, 0, 105, 0, // 9x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 10x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 11x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 12x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 13x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 14x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 15x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 16x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 17x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 18x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 19x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 20x
    0, 204, 134, 61, 0, 0, 219, 0, 133, 0, // 21x
    84, 201, 148, 142, 85, 43, 21, 159, 213, 25, // 22x
    151, 128, 199, 81, 161, 212, 40, 46, 51, 205, // 23x
    87, 75, 41, 39, 9, 91, 103, 1, 191, 192, // 24x
    188, 68, 202, 57, 112, 225, 227, 24, 156, 0, // 25x
    244, 139, 184, 245, 157, 153, 129, 34, 209, 116, // 26x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 27x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 28x
    195, 66, 0, 0, 0, 0, 0, 14, 73, 83, // 29x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 30x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 31x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 32x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 33x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 34x
    82, 180, 131, 99, 106, 7, 150, 54, 69, 22, // 35x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 36x
    130, 132, 63, 136, 8, 35, 2, 135, 200, 0, // 37x
    226, 186, 137, 240, 0, 95, 196, 17, 0, 141, // 38x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 39x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 40x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 41x
    55, 198, 0, 126, 0, 0, 0, 0, 0, 0, // 42x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 43x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 44x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 45x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 46x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 47x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 48x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 49x
    71, 36, 89, 206, 94, 162, 49, 170, 177, 96, // 50x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 51x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 52x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 53x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 54x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 55x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 56x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 57x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 58x
    86, 29, 92, 62, 79, 182, 147, 203, 229, 52, // 59x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 60x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 61x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 62x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 63x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 64x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 65x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 66x
    217, 0, 160, 28, 166, 173, 220, 190, 237, 70, // 67x
    181, 238, 44, 167, 0, 239, 115, 158, 223, 172, // 68x
    216, 72, 140, 0, 0, 0, 0, 0, 0, 0, // 69x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 70x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 71x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 72x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 73x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 74x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 75x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 76x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 77x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 78x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 79x
    246, 0, 0, 0, 0, 0, 0, 0, 247, 0, // 80x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 81x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 82x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 83x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 84x
    118, 0, 93, 145, 0, 114, 123, 0, 0, 0, // 85x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 86x
    248, 0, 0, 0, 0, 0, 0, 0, 249, 0, // 87x
    19, 250, 251, 252, 0, 0, 224, 0, 253, 0, // 88x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 89x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 90x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 91x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 92x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 93x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 94x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 95x
    152, 124, 110, 208, 104, 120, 189, 241, 169, 0, // 96x
    179, 3, 100, 23, 183, 33, 144, 165, 0, 254, // 97x
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 98x
    0, 0, 215, 218, 16, 78, 113, 0, 230, 0, // 99x
];
