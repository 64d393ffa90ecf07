//! Where numbers were written, which Android does not know: what is sent of them says it.

use super::*;

/// Found by fresh seeds: the phone's own region was taken for that of a number that others had written, and removed
/// meanwhile.
#[test]
fn what_is_removed_and_edited_at_once_is_sent_with_the_regions_of_its_numbers() {
    // 1795754816
    check_that_the_region_is_sent("its user deletes the contact in Callbook", |phone| {
        phone.bench.engine.delete(id(1), &mut phone.bench.chance).unwrap();
    });
    // 1795782144
    check_that_the_region_is_sent("others delete the contact", |phone| {
        phone.others_drop(id(1), Form::Deleted);
        phone.bench.sync();
    });
    check_that_the_region_is_sent("others remove the number", |phone| {
        phone.others(id(1), |fields| fields.phones.clear());
        phone.bench.sync();
    });
    check_that_the_region_is_sent(
        "its user deletes it, and nothing is noted of the contact",
        |phone| {
            phone.bench.engine.delete(id(1), &mut phone.bench.chance).unwrap();
            phone.forget("Ann");
        },
    );
}

fn check_that_the_region_is_sent(what: &str, removal: fn(&mut Phone)) {
    let mut phone = Phone::new();
    let number = |number: &str, region: &str| callbook_contacts::Phone {
        number: number.parse().unwrap(),
        region: region.parse().unwrap(),
        key: None,
        r#type: None,
        label: None,
        primary: false,
    };
    phone.others(id(1), |fields| {
        fields.name = Some("Ann".parse().unwrap());
        fields.phones = vec![number("150-2288-7705", "CN"), number("100", "")];
    });
    phone.settle();
    removal(&mut phone);
    let raw = phone.raw(&own(), "Ann");
    phone.fake.write(raw, PHONE, &[("data1", Some("150-2288-7705")), ("data2", Some("2"))]);
    phone.pass();
    let mut sent = numbers_sent(&mut phone);
    assert_eq!(sent.pop(), Some(("150-2288-7705".to_owned(), Some("CN".to_owned()))), "{what}");
    assert!(sent.iter().all(|(_, region)| region.is_none()), "{what}");
}

/// Found by the simulator (seed 4110): a contact that others hid before it was shown was sent whole when its user named
/// it, with its number read in the region of the SIM that came meanwhile.
#[test]
fn what_was_read_before_another_sim_came_keeps_its_region() {
    let mut phone = Phone::new();
    phone.bench.engine.set_region("VN".parse().unwrap()).unwrap();
    let raw = phone.save(&own(), "Ann", "0140 552 522");
    phone.pass();
    phone.bench.sync();
    phone.others_drop(phone.id("Ann"), Form::Hidden { owner: id(1) });
    phone.bench.sync();
    phone.bench.engine.set_region("IN".parse().unwrap()).unwrap();
    phone.bench.crash();
    phone.fake.write(raw, NAME, &[("data1", Some("Anna"))]);
    phone.pass();
    assert_eq!(numbers_sent(&mut phone), [("0140 552 522".to_owned(), Some("VN".to_owned()))]);
}

/// The numbers that the next push adds, and the regions that it says of them, in order.
fn numbers_sent(phone: &mut Phone) -> Vec<(String, Option<String>)> {
    let push = phone.bench.until("/sync/contacts");
    let body: Value = serde_json::from_slice(&push.body.unwrap()).unwrap();
    let ops = body["ops"].as_array().unwrap().iter();
    let added = ops.flat_map(|op| op["add"]["phones"].as_array()).flatten();
    let text = |number: &Value, name: &str| number[name].as_str().map(str::to_owned);
    let mut sent: Vec<_> =
        added.map(|it| (text(it, "number").unwrap(), text(it, "region"))).collect();
    sent.sort();
    sent
}
