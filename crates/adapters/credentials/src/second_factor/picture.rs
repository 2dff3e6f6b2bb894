//! QR codes as PNG files.

use png::{BitDepth, ColorType, Encoder, EncodingError};
use qrcode::{Color, EcLevel, QrCode, types::QrError};

/// Modules of light around the code (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;
/// Pixels of a module in each direction: at one bit a pixel, a module's row is one byte.
const PIXELS: usize = 8;

/// No picture could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    /// The text does not fit.
    #[error("the text does not fit into a QR code: {0}")]
    Code(#[from] QrError),
    /// The file could not be written.
    #[error("the picture could not be written: {0}")]
    File(#[from] EncodingError),
    /// It would be larger than pictures are.
    #[error("the picture is too large")]
    TooLarge,
}

/// `text` as a QR code that is read although a seventh of it is damaged.
pub(super) fn qr_png(text: &str) -> Result<Vec<u8>, PictureError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let side = u32::try_from((code.width() + 2 * QUIET) * PIXELS).map_err(|_| PictureError::TooLarge)?;
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels(&code))?;
    writer.finish()?;
    Ok(file)
}

fn pixels(code: &QrCode) -> Vec<u8> {
    let width = code.width() + 2 * QUIET;
    let light = |x: usize, y: usize| {
        let inside = |at: usize| (QUIET..QUIET + code.width()).contains(&at);
        !(inside(x) && inside(y) && code[(x - QUIET, y - QUIET)] == Color::Dark)
    };
    let row = |y: usize| (0..width).map(move |x| if light(x, y) { 0xff } else { 0 }).collect::<Vec<u8>>();
    (0..width).flat_map(|y| row(y).repeat(PIXELS)).collect()
}
