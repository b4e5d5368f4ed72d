//! What is written is read back, whatever it is; and nothing foreign makes a reader panic.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Debug;

use common::{bent, strategies};
use proptest::{collection::vec, prelude::*};
use seggpt_contract::{Ack, Failure, Image, Mask, Message, Payload, Status};

fn round_trip<P: Payload + PartialEq + Debug>(message: &Message<P>) {
    let (parameters, array) = message.encode().unwrap();
    assert_eq!(
        &Message::<P>::decode(&array, &parameters, 99).unwrap(),
        message
    );
}

proptest! {
    #[test]
    fn images_come_back_as_they_went(identity in strategies::identity(), picture in strategies::picture()) {
        round_trip(&Message::Item(identity, Image(picture)));
    }

    #[test]
    fn prompted_pictures_come_back_as_they_went(identity in strategies::identity(), prompted in strategies::prompted()) {
        round_trip(&Message::Item(identity, prompted));
    }

    #[test]
    fn canvases_come_back_as_they_went(identity in strategies::identity(), canvases in strategies::canvases()) {
        round_trip(&Message::Item(identity, canvases));
    }

    #[test]
    fn masks_come_back_as_they_went(identity in strategies::identity(), mask in strategies::mask()) {
        round_trip(&Message::Item(identity, mask));
    }

    #[test]
    fn acknowledgements_come_back_as_they_went(identity in strategies::identity(), done: bool) {
        round_trip(&Message::Item(identity, Ack(if done { Status::Done } else { Status::Failed })));
    }

    #[test]
    fn failures_come_back_as_they_went_on_any_edge(identity in strategies::identity(), node in ".{0,8}", error in ".{0,40}") {
        let failure = Failure { node, error };
        round_trip(&Message::<Image>::Failed(identity.clone(), failure.clone()));
        round_trip(&Message::<Mask>::Failed(identity, failure));
    }

    #[test]
    fn a_bent_message_is_read_or_refused_but_never_panics(tape in vec(any::<u8>(), 0..120)) {
        bent::decode_all(&tape);
    }
}
